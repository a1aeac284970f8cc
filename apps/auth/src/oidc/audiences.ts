/**
 * The resource indicators (RFC 8707) that clients can be allowed, and the scopes each of them knows.
 * A token's `aud` is one of these, or `USERINFO`.
 */
export const AUDIENCES = {
  /** Opened by users' tokens, on every service. Never given to a client that acts for itself. */
  'urn:signet:api': ['api'],
  'urn:signet:inventory': ['inventory:reserve'],
  'urn:signet:payments': ['payments:charge'],
} as const satisfies Record<string, readonly string[]>;

export type Audience = keyof typeof AUDIENCES;

export const AUDIENCE_NAMES = Object.keys(AUDIENCES) as Audience[];

export const PLATFORM = 'urn:signet:api' satisfies Audience;

/**
 * The audience of users' tokens for a client that may call no service: they tell it who the user is,
 * and open nothing else.
 */
export const USERINFO = 'urn:signet:userinfo';

/** What a user can let a client know (OpenID Connect Core section 5.4), and for how long. */
export const OPENID_SCOPES = ['openid', 'email', 'offline_access'] as const;

/** What a client may ask for: scopes by audience. Metadata of each client, under this name. */
export const CLIENT_AUDIENCES = 'audiences';

/** Whether its tokens are for one service and not for users' use of all of them. */
export function isServiceAudience(audience: string): boolean {
  return audience !== PLATFORM && audience in AUDIENCES;
}
