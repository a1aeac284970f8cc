import { createHash } from 'node:crypto';

/**
 * What a revocation feed is made of, for those who publish one and those who follow it. Every message
 * is a JWS of its own `typ`, signed with the issuer's keys and addressed to `audience`, so that none can
 * pass for another, nor for an access token.
 */
export const REVOCATION_FEED = {
  /** `aud` of every message, unless a follower is told another one. */
  audience: 'urn:signet:revocations',
  /** RFC 8417 section 2.3: a Security Event Token, one for each entry. */
  eventType: 'secevent+jwt',
  /** `typ` of what says that nothing was missed. */
  heartbeatType: 'revocation-heartbeat+jwt',
  /** `typ` of what says all that is in force. */
  snapshotType: 'revocation-snapshot+jwt',
  /** CAEP 1.0: the login is over. */
  sessionRevoked: 'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
  /** CAEP 1.0: tokens issued before say something that is not so any more. */
  tokenClaimsChange: 'https://schemas.openid.net/secevent/caep/event-type/token-claims-change',
  /** `chain` of a feed in which nothing was ever published. */
  genesis: 'A'.repeat(43),
} as const;

/** One entry: which tokens are void, and for how long that has to be remembered. */
export interface Revocation {
  /** Tokens of one login (`sid`), or all tokens of a client (`client_id`). */
  kind: 'session' | 'client';
  /** Its `sid` or `client_id`: printable ASCII without spaces. */
  id: string;
  /** Only tokens whose `iat` lies before this are void; all of them when absent. Seconds. */
  before?: number;
  /** When the last token that the entry can concern has expired. Seconds. */
  until: number;
}

/** `id` of an entry: printable ASCII without spaces. */
export const REVOCATION_ID = /^[\x21-\x7e]{1,256}$/;

const LETTER = { session: 's', client: 'c' } as const;
const KIND = { s: 'session', c: 'client' } as const;

const LINE = /^([sc]) ([\x21-\x7e]{1,256}) (\d{1,15})(?: (\d{1,15}))?$/;

/** The one way to write an entry down: a line of a snapshot, and what is hashed into the chain. */
export function toLine({ kind, id, before, until }: Revocation): string {
  return `${LETTER[kind]} ${id} ${until}${before === undefined ? '' : ` ${before}`}`;
}

/** @returns undefined for anything that `toLine` does not write */
export function fromLine(line: string): Revocation | undefined {
  const [, letter, id, until, before] = LINE.exec(line) ?? [];
  if (letter === undefined || id === undefined) return undefined;
  return {
    kind: KIND[letter as keyof typeof KIND],
    id,
    until: Number(until),
    ...(before !== undefined && { before: Number(before) }),
  };
}

/**
 * The hash over all entries up to and with this one: SHA-256 of the hash before it, a line feed and the
 * entry's line, in base64url. Two feeds with the same hash have published the same entries in the same
 * order.
 */
export function extendChain(chain: string, revocation: Revocation): string {
  return createHash('sha256')
    .update(`${chain}\n${toLine(revocation)}`)
    .digest('base64url');
}
