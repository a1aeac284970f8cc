import { AuthError } from '../errors.js';
import { decodePart, splitCompact, verifySignature } from '../jws/compact.js';
import { checkProtection } from '../jws/header.js';
import type { JsonObject } from '../jws/json.js';
import type { KeySource } from '../keys/key-source.js';
import { assertVerificationKey, UnusableKeyError } from '../keys/rsa.js';
import { FeedRefusal } from './refusal.js';
import type { RefusalReason } from './refusal.js';

/** Whose messages are believed. */
export interface FeedTrust {
  issuer: string;
  audience: string;
  keys: KeySource;
}

/**
 * The claims of a signed message of exactly this `typ`.
 *
 * @throws {FeedRefusal}
 * @throws {KeysUnavailableError} when it cannot be told whether it is genuine
 */
export async function readSigned(
  message: string,
  typ: string,
  { issuer, audience, keys }: FeedTrust,
): Promise<JsonObject> {
  const jws = refusing('malformed', () => splitCompact(message));
  const header = refusing('malformed', () => decodePart(jws.header));
  refusing('mistyped', () => checkProtection(header));
  if (header.typ !== typ || typeof header.kid !== 'string') throw new FeedRefusal('mistyped');
  const key = await keys.getKey(header.kid);
  if (!key) throw new FeedRefusal('forged');
  refusing('forged', () => {
    assertVerificationKey(key);
    verifySignature(jws, key);
  });
  const claims = refusing('malformed', () => decodePart(jws.payload));
  if (claims.iss !== issuer || claims.aud !== audience) throw new FeedRefusal('misaddressed');
  return claims;
}

function refusing<Result>(reason: RefusalReason, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const refuses = error instanceof AuthError || error instanceof UnusableKeyError;
    throw refuses ? new FeedRefusal(reason) : error;
  }
}
