import { pageQuery, plainText } from '@signet/http';
import { z } from 'zod';
import { AUDIT_ACTIONS } from './audit-actions.js';

export const auditEvent = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  action: z.enum(AUDIT_ACTIONS),
  actor: z
    .string()
    .nullable()
    .describe('id of a user or of a client; null when the service did it by itself'),
  subject: z.string().describe('id of the user, session, client or key that it was done to'),
  address: z.string().nullable(),
  details: z.record(z.string(), z.unknown()).nullable(),
});

export const auditQuery = z.strictObject({
  ...pageQuery,
  action: z.enum(AUDIT_ACTIONS).optional(),
  actor: plainText(200).optional(),
  subject: plainText(200).optional(),
});

export type AuditEvent = z.infer<typeof auditEvent>;
export type AuditQuery = z.infer<typeof auditQuery>;
