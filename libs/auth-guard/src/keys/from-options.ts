import type { JsonWebKey, KeyObject } from 'node:crypto';
import type { Clock } from '../clock.js';
import { AuthGuardConfigurationError } from '../errors.js';
import type { GuardLog } from '../log.js';
import { keyOf, keysOfSet } from './given-keys.js';
import type { JsonWebKeySet } from './jwk-set.js';
import type { KeySource } from './key-source.js';
import type { RemoteKeysOptions } from './remote/options.js';
import { RemoteKeys } from './remote/remote-keys.js';

/** One public key: a KeyObject, a PEM text or a JWK. */
export interface PublicKeyOptions {
  /** RSA of 2048 to 8192 bits. */
  publicKey: KeyObject | string | JsonWebKey;
  /** The `kid` that tokens must name. Without one, any: there is only this key. */
  kid?: string;
}

/** A set of public keys that never changes. */
export interface JwksOptions {
  /** Each key with `use: "sig"` and a `kid` of its own. */
  jwks: JsonWebKeySet;
}

/** The four ways to say where the keys come from. */
export type KeysOptions = RemoteKeysOptions | PublicKeyOptions | JwksOptions | KeySource;

/**
 * Makes a key source of what the option `keys` takes, for a `TokenVerifier` without Nest. The caller starts
 * and closes it.
 *
 * @throws {AuthGuardConfigurationError}
 */
export function keySource(
  options: KeysOptions,
  context: { issuer: string; clock?: Clock; log?: GuardLog },
): KeySource {
  if ('getKey' in options) return options;
  if ('jwksUri' in options) return new RemoteKeys(options, context);
  if ('publicKey' in options) return keyOf(options.publicKey, options.kid);
  if ('jwks' in options) return keysOfSet(options.jwks);
  throw new AuthGuardConfigurationError('keys: expected jwksUri, publicKey, jwks or a KeySource.');
}
