import { pageQuery, plainText } from '@signet/http';
import { z } from 'zod';
import { REVOCATION_CAUSES } from './causes.js';

const seconds = z.int().describe('seconds, as `iat` has them');

export const revocation = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  kind: z.enum(['session', 'client']),
  subject: z.string().describe('`sid` of a session, or id of a client'),
  cause: z.enum(REVOCATION_CAUSES),
  actor: z
    .string()
    .nullable()
    .describe('id of a user or of a client; null when the service did it by itself'),
  before: seconds.nullable().describe('only tokens issued before are void; null: all'),
  until: seconds.describe('when the last token that it concerns has expired, in seconds'),
  seq: z.int().nullable().describe('number in the feed; null until it is published'),
  token: z
    .string()
    .nullable()
    .describe('the Security Event Token (RFC 8417) that was published, as it was signed'),
});

export const revocationQuery = z.strictObject({
  ...pageQuery,
  subject: plainText(200).optional(),
});

export type RevocationView = z.infer<typeof revocation>;
export type RevocationQuery = z.infer<typeof revocationQuery>;
