import { pageQuery } from '@signet/http';
import { z } from 'zod';
import { claimedPassword, email } from '../accounts/credentials.js';

export const loginRequest = z.strictObject({ email, password: claimedPassword });

export const refreshRequest = z.strictObject({ refresh_token: z.string().min(1).max(512) });

/** RFC 6749 section 5.1. */
export const tokens = z.object({
  access_token: z.string(),
  token_type: z.string(),
  expires_in: z.int().describe('seconds'),
  refresh_token: z.string(),
  scope: z.string(),
});

export const sessionId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected the id of a session');

export const session = z.object({
  id: sessionId,
  clientId: z.string(),
  userAgent: z.string().nullable(),
  address: z.string().nullable(),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  current: z.boolean().describe('whether it is the one that asks'),
});

export const sessionQuery = z.strictObject(pageQuery);

export type LoginRequest = z.infer<typeof loginRequest>;
export type RefreshRequest = z.infer<typeof refreshRequest>;
export type Tokens = z.infer<typeof tokens>;
export type Session = z.infer<typeof session>;
export type SessionQuery = z.infer<typeof sessionQuery>;
