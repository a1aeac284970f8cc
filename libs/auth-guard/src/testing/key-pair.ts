import { createHash, generateKeyPairSync } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';

/** An RSA key pair of a test issuer. */
export interface TestKeyPair {
  /** What tokens call it. */
  kid: string;
  /** For whoever verifies. */
  publicKey: KeyObject;
  /** For whoever signs. */
  privateKey: KeyObject;
  /** The public key as an issuer publishes it. */
  jwk: JsonWebKey;
}

/** Makes an RSA pair; its `kid` is derived from the key (RFC 7638) unless one is given. */
export function createKeyPair(kid?: string, modulusLength = 2048): TestKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength });
  const { e, n } = publicKey.export({ format: 'jwk' });
  const thumbprint = createHash('sha256').update(JSON.stringify({ e, kty: 'RSA', n }));
  const name = kid ?? thumbprint.digest('base64url');
  const jwk = { kty: 'RSA', kid: name, use: 'sig', alg: 'RS256', n, e };
  return { kid: name, publicKey, privateKey, jwk };
}

/** Making a pair takes a tenth of a second: the first two issuers of a process share theirs. */
const made: Partial<Record<number, TestKeyPair>> = {};

/** One of two pairs that are made once per process: `0` is the issuer's, `1` a stranger's. */
export function sharedKeyPair(index: 0 | 1): TestKeyPair {
  return (made[index] ??= createKeyPair());
}
