import type { JWK } from 'jose';
import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** What a client may sign its assertions with. */
export const CLIENT_KEY_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'Ed25519'] as const;

const MIN_RSA_BITS = 2048;

/** Whether it is the public part of a key for one of the algorithms above, and nothing more. */
export function isClientKey(jwk: JWK): boolean {
  if ('d' in jwk || 'k' in jwk) return false;
  const key = parse(jwk);
  if (!key) return false;
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return modulusLength >= MIN_RSA_BITS;
    case 'ec':
      return namedCurve === 'prime256v1';
    default:
      return key.asymmetricKeyType === 'ed25519';
  }
}

function parse(jwk: JWK): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}
