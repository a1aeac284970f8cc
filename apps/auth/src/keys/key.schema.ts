import { pageQuery } from '@signet/http';
import { z } from 'zod';
import { KEY_STATES } from './key-states.js';

export const signingKey = z.object({
  kid: z.string(),
  state: z.enum(KEY_STATES),
  alg: z.string(),
  createdAt: z.iso.datetime(),
  activatedAt: z.iso.datetime().nullable(),
  retiredAt: z.iso.datetime().nullable(),
  removedAt: z.iso.datetime().nullable(),
});

export const keyQuery = z.strictObject(pageQuery);

export const keyRotation = z
  .strictObject({
    withdraw: z
      .boolean()
      .default(false)
      .describe('the keys that have signed so far verify nothing any more: for a key that leaked'),
  })
  .prefault({});

export type KeyRotation = z.infer<typeof keyRotation>;
export type SigningKeyView = z.infer<typeof signingKey>;
export type KeyQuery = z.infer<typeof keyQuery>;
