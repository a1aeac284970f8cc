import { createHash } from 'node:crypto';
import type { JsonObject } from '../jws/json.js';
import { REVOCATION_FEED, REVOCATION_ID } from './feed-format.js';
import type { Revocation } from './feed-format.js';
import { FeedRefusal } from './refusal.js';
import { readSigned } from './signed-message.js';
import type { FeedTrust } from './signed-message.js';

/** A point in the feed's history. */
export interface Position {
  /** How many entries there have been. */
  seq: number;
  /** The hash over all of them. */
  chain: string;
}

export interface FeedEvent extends Position {
  revocation: Revocation;
}

/** Says that at `asOf` there was nothing beyond this position. */
export interface Heartbeat extends Position {
  /** Milliseconds, by the issuer's clock. */
  asOf: number;
}

/** What is signed of a snapshot beside the hash of its lines. */
export interface SnapshotHead extends Heartbeat {
  /** Seconds; after that it is not believed. */
  expiresAt: number;
  /** How many lines there are. */
  count: number;
}

export interface SignedSnapshot {
  head: SnapshotHead;
  /** The text of the entries, each line with its end; has the hash that is signed. */
  lines: Buffer;
}

const LINE_FEED = 0x0a;

/** @throws {FeedRefusal} */
export async function readEvent(message: string, trust: FeedTrust): Promise<FeedEvent> {
  const claims = await readSigned(message, REVOCATION_FEED.eventType, trust);
  // RFC 8417 section 2.2: a SET says what happened to whom; `sub` and `exp` belong to other JWTs.
  if (Object.hasOwn(claims, 'exp') || Object.hasOwn(claims, 'sub')) {
    throw new FeedRefusal('mistyped');
  }
  const before = claims.before === undefined ? undefined : whole(claims.before);
  const expected =
    before === undefined ? REVOCATION_FEED.sessionRevoked : REVOCATION_FEED.tokenClaimsChange;
  const events = object(claims.events);
  if (Object.keys(events).length !== 1 || !Object.hasOwn(events, expected)) {
    throw new FeedRefusal('mistyped');
  }
  return {
    ...positionIn(claims),
    revocation: {
      ...subjectIn(claims),
      until: whole(claims.until),
      ...(before !== undefined && { before }),
    },
  };
}

/** @throws {FeedRefusal} */
export async function readHeartbeat(message: string, trust: FeedTrust): Promise<Heartbeat> {
  const claims = await readSigned(message, REVOCATION_FEED.heartbeatType, trust);
  return { ...positionIn(claims), asOf: whole(claims.as_of) };
}

/**
 * @param bytes the signed head, a line feed and the lines
 * @throws {FeedRefusal}
 */
export async function readSnapshot(bytes: Buffer, trust: FeedTrust): Promise<SignedSnapshot> {
  const end = bytes.indexOf(LINE_FEED);
  if (end === -1) throw new FeedRefusal('malformed');
  const message = bytes.toString('latin1', 0, end);
  const claims = await readSigned(message, REVOCATION_FEED.snapshotType, trust);
  const lines = bytes.subarray(end + 1);
  if (createHash('sha256').update(lines).digest('base64url') !== hash(claims.sha256)) {
    throw new FeedRefusal('malformed');
  }
  const head = {
    ...positionIn(claims),
    asOf: whole(claims.as_of),
    expiresAt: whole(claims.exp),
    count: whole(claims.count),
  };
  return { head, lines };
}

/** RFC 9493 section 3.2.7 for a login; the complex subject of SSF 1.0 for a client. */
function subjectIn({ sub_id: subject }: JsonObject): Pick<Revocation, 'kind' | 'id'> {
  const { format, id, application } = object(subject);
  if (format === 'opaque') return { kind: 'session', id: text(id) };
  if (format !== 'complex') throw new FeedRefusal('malformed');
  const client = object(application);
  if (client.format !== 'opaque') throw new FeedRefusal('malformed');
  return { kind: 'client', id: text(client.id) };
}

function positionIn({ seq, chain }: JsonObject): Position {
  return { seq: whole(seq), chain: hash(chain) };
}

function whole(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new FeedRefusal('malformed');
}

function hash(value: unknown): string {
  if (typeof value === 'string' && /^[A-Za-z0-9_-]{43}$/.test(value)) return value;
  throw new FeedRefusal('malformed');
}

function text(value: unknown): string {
  if (typeof value === 'string' && REVOCATION_ID.test(value)) return value;
  throw new FeedRefusal('malformed');
}

function object(value: unknown): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new FeedRefusal('malformed');
}
