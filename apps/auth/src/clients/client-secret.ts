import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A secret of 256 random bits: too many to be guessed, so that a plain hash keeps it. */
export function newClientSecret(): string {
  return randomBytes(32).toString('base64url');
}

export function hashClientSecret(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

/**
 * Compares in constant time.
 *
 * @param hashes of the secrets that are good now, separated by spaces
 */
export function isClientSecret(hashes: string | undefined, secret: string): boolean {
  const actual = Buffer.from(hashClientSecret(secret));
  const matches = (hashes ?? '').split(' ').map((good) => {
    const expected = Buffer.from(good);
    return expected.length === actual.length && timingSafeEqual(expected, actual);
  });
  return matches.includes(true);
}
