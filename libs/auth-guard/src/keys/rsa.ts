import type { KeyObject } from 'node:crypto';

const MIN_MODULUS_BITS = 2048;
/** Above, one verification costs so much that a key becomes a way to stop the service. */
const MAX_MODULUS_BITS = 8192;
const MIN_EXPONENT = 65_537n;
const MAX_EXPONENT = 2n ** 32n;

/** A key that must not be used to verify tokens; the message says why. */
export class UnusableKeyError extends Error {
  override readonly name = 'UnusableKeyError';
}

/**
 * Checks that a key may verify RS256: a public RSA key of 2048 bits or more (RFC 7518 section 3.3)
 * with an odd exponent of 65537 or more (NIST SP 800-56B section 6.2).
 *
 * @throws {UnusableKeyError}
 */
export function assertVerificationKey(key: KeyObject): void {
  if (key.type !== 'public' || key.asymmetricKeyType !== 'rsa') {
    throw new UnusableKeyError('expected a public RSA key');
  }
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < MIN_MODULUS_BITS || modulusLength > MAX_MODULUS_BITS) {
    throw new UnusableKeyError(
      `expected a modulus of ${MIN_MODULUS_BITS} to ${MAX_MODULUS_BITS} bits`,
    );
  }
  const odd = publicExponent % 2n === 1n;
  if (!odd || publicExponent < MIN_EXPONENT || publicExponent > MAX_EXPONENT) {
    throw new UnusableKeyError('expected an odd exponent of 65537 or more');
  }
}
