import { pageQuery } from '@signet/http';
import { z } from 'zod';
import { claimedPassword, email } from '../accounts/credentials.js';

/** How the refresh token is handed out: `cookie` is for pages, whose scripts then never see it. */
export const transport = z
  .enum(['body', 'cookie'])
  .default('body')
  .describe('where the refresh token is handed out; pages of our own take the cookie');

export const loginRequest = z.strictObject({ email, password: claimedPassword, transport });

const refreshToken = z.string().min(1).max(512);

export const refreshRequest = z
  .strictObject({
    refresh_token: refreshToken.optional().describe('left out by who has it in the cookie'),
  })
  .prefault({});

/** RFC 6749 section 5.1. */
export const issuedTokens = z.object({
  access_token: z.string(),
  token_type: z.string(),
  expires_in: z.int().describe('seconds'),
  refresh_token: z.string(),
  scope: z.string(),
});

export const tokens = issuedTokens.extend({
  refresh_token: z.string().optional().describe('absent when it is in the cookie'),
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
export type Transport = z.infer<typeof transport>;
export type IssuedTokens = z.infer<typeof issuedTokens>;
export type Tokens = z.infer<typeof tokens>;
export type Session = z.infer<typeof session>;
export type SessionQuery = z.infer<typeof sessionQuery>;
