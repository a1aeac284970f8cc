import { createPublicKey, KeyObject } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { AuthGuardConfigurationError } from '../errors.js';
import { importKey, readKeySet, UnusableKeySetError } from './jwk-set.js';
import type { JsonWebKeySet } from './jwk-set.js';
import type { KeySource } from './key-source.js';
import { assertVerificationKey, UnusableKeyError } from './rsa.js';

/**
 * Keys from a JWK set that is given at boot and never changes.
 *
 * @throws {AuthGuardConfigurationError} when no key of it can be used
 */
export function keysOfSet(set: JsonWebKeySet): KeySource {
  const { keys, warnings } = configured('keys.jwks', () => readKeySet(set));
  if (keys.size === 0 || warnings.length > 0) {
    throw wrong('keys.jwks', warnings[0] ?? 'the set is empty');
  }
  return { getKey: (kid) => keys.get(kid) };
}

/**
 * One public key that is given at boot. With a `kid` (or a JWK that has one) tokens must name it;
 * without, the key is the only one there is and what a token calls it does not matter.
 *
 * @throws {AuthGuardConfigurationError} when it is not a public RSA key of 2048 bits or more
 */
export function keyOf(publicKey: KeyObject | string | JsonWebKey, kid?: string): KeySource {
  const key = configured('keys.publicKey', () => toPublicKey(publicKey));
  const name = kid ?? (isJwk(publicKey) ? publicKey.kid : undefined);
  return { getKey: (asked) => (name === undefined || asked === name ? key : undefined) };
}

function toPublicKey(key: KeyObject | string | JsonWebKey): KeyObject {
  if (isJwk(key)) return importKey(key);
  const publicKey = typeof key === 'string' ? readPem(key) : key;
  assertVerificationKey(publicKey);
  return publicKey;
}

function readPem(pem: string): KeyObject {
  // Node would derive the public key; but a private one has no business in a service that verifies.
  if (pem.includes('PRIVATE KEY')) throw new UnusableKeyError('expected a public key');
  try {
    return createPublicKey(pem.trim());
  } catch (cause) {
    throw new UnusableKeyError('expected a public key in PEM', { cause });
  }
}

function isJwk(key: KeyObject | string | JsonWebKey): key is JsonWebKey {
  return typeof key === 'object' && !(key instanceof KeyObject);
}

function configured<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnusableKeyError || error instanceof UnusableKeySetError) {
      throw wrong(option, error.message);
    }
    throw error;
  }
}

function wrong(option: string, reason: string): AuthGuardConfigurationError {
  return new AuthGuardConfigurationError(`${option}: ${reason}.`);
}
