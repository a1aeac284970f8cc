import { pageQuery, plainText } from '@signet/http';
import { z } from 'zod';

export const auditEvent = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  action: z.string(),
  actor: z
    .string()
    .nullable()
    .describe('id of a user or of a client; null when the service did it by itself'),
  subject: z.string().describe('id of what it was done to'),
  address: z.string().nullable(),
  details: z.record(z.string(), z.unknown()).nullable(),
});

/** @param actions that the service records: only these can be asked for */
export function auditQuery(actions: readonly [string, ...string[]]) {
  return z.strictObject({
    ...pageQuery,
    action: z.enum(actions).optional(),
    actor: plainText(200).optional(),
    subject: plainText(200).optional(),
  });
}

export type AuditEvent = z.infer<typeof auditEvent>;
export type AuditQuery = z.infer<ReturnType<typeof auditQuery>>;
