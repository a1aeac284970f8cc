/**
 * The resource indicators (RFC 8707) that tokens can be asked for, and the scopes each of them knows.
 * A token's `aud` is one of these.
 */
export const AUDIENCES = {
  /** Opened by users' tokens, on every service. Never given to a client that acts for itself. */
  'urn:signet:api': ['api'],
  'urn:signet:inventory': ['inventory:reserve'],
  'urn:signet:payments': ['payments:charge'],
} as const satisfies Record<string, readonly string[]>;

export type Audience = keyof typeof AUDIENCES;

export const PLATFORM = 'urn:signet:api' satisfies Audience;

/** What a client may ask for: scopes by audience. Metadata of each client, under this name. */
export const CLIENT_AUDIENCES = 'audiences';

export type ClientAudiences = { [Name in Audience]?: readonly (typeof AUDIENCES)[Name][number][] };
