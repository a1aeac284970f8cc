import { createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { decodeBase64url } from '../jws/base64url.js';
import { assertVerificationKey, UnusableKeyError } from './rsa.js';

/** A JWK Set (RFC 7517 section 5). */
export interface JsonWebKeySet {
  /** In any order; keys of other kinds and uses are passed over. */
  keys: readonly JsonWebKey[];
}

/** A set that must not be used at all; the message says why. */
export class UnusableKeySetError extends Error {
  override readonly name = 'UnusableKeySetError';
}

/** The keys of a set that verify tokens, by `kid`, and why others were left out. */
export interface ReadKeySet {
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** One line for each RSA key that looked like one of ours but must not be used. */
  readonly warnings: readonly string[];
}

const MAX_KEYS = 64;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/**
 * Reads the RSA signature keys out of a JWK set. Keys of other kinds and uses are somebody else's
 * and passed over (RFC 7517 section 5); a weak or malformed key is left out with a warning.
 *
 * @throws {UnusableKeySetError} when the set as a whole cannot be trusted: not a set, two keys of one
 *   `kid`, a private key in it, or keys but not one that is usable. An empty set is one from which
 *   every key was withdrawn.
 */
export function readKeySet(set: unknown): ReadKeySet {
  const jwks = assertKeySet(set);
  const keys = new Map<string, KeyObject>();
  const warnings: string[] = [];
  for (const jwk of jwks.filter(isSignatureKey)) {
    try {
      keys.set(kidOf(jwk), importKey(jwk));
    } catch (error) {
      if (!(error instanceof UnusableKeyError)) throw error;
      warnings.push(`a key of the set is not used: ${error.message}`);
    }
  }
  if (jwks.length > 0 && keys.size === 0) {
    throw new UnusableKeySetError('no RSA signature key in the set can be used');
  }
  return { keys, warnings };
}

/**
 * Imports an RSA public key from nothing but its `n` and `e`: certificates and URLs beside them are
 * not looked at.
 *
 * @throws {UnusableKeyError}
 */
export function importKey({ kty, n, e }: JsonWebKey): KeyObject {
  if (kty !== 'RSA' || !isBase64url(n) || !isBase64url(e)) {
    throw new UnusableKeyError('expected an RSA key with n and e in base64url');
  }
  const key = toKeyObject({ kty, n, e });
  assertVerificationKey(key);
  return key;
}

function toKeyObject(jwk: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch (cause) {
    throw new UnusableKeyError('the key cannot be imported', { cause });
  }
}

function assertKeySet(set: unknown): JsonWebKey[] {
  const keys = isObject(set) ? set.keys : undefined;
  if (!Array.isArray(keys)) throw new UnusableKeySetError('expected an object with a list of keys');
  if (keys.length > MAX_KEYS) throw new UnusableKeySetError(`expected at most ${MAX_KEYS} keys`);
  const kids = new Set<unknown>();
  for (const jwk of keys as unknown[]) {
    if (!isObject(jwk)) throw new UnusableKeySetError('expected each key to be an object');
    if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))) {
      throw new UnusableKeySetError('the set publishes a private or secret key');
    }
    // RFC 7517 section 4.5: with two keys of one name, the name no longer says which was meant.
    if (jwk.kid !== undefined && kids.has(jwk.kid)) {
      throw new UnusableKeySetError('two keys have the same kid');
    }
    kids.add(jwk.kid);
  }
  return keys as JsonWebKey[];
}

function isSignatureKey(jwk: JsonWebKey): boolean {
  return jwk.kty === 'RSA' && jwk.use === 'sig' && (jwk.alg === undefined || jwk.alg === 'RS256');
}

function kidOf({ kid, key_ops: operations }: JsonWebKey): string {
  if (typeof kid !== 'string' || kid === '') throw new UnusableKeyError('it has no kid');
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    throw new UnusableKeyError('its key_ops do not allow to verify');
  }
  return kid;
}

function isBase64url(value: unknown): boolean {
  return typeof value === 'string' && decodeBase64url(value) !== undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
