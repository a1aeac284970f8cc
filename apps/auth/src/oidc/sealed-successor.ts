import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * The value of a refresh token, readable to who has the value of its parent: AES-256-GCM under a key
 * derived from the parent's value (HKDF, RFC 5869), which no row holds.
 *
 * @param parent 256 random bits, as the engine makes them, so that the key needs no salt
 * @returns nonce, ciphertext and tag in one base64url text
 */
export function seal(value: string, parent: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyFrom(parent), nonce);
  const ciphertext = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]).toString('base64url');
}

/** @throws {Error} when it was sealed under another parent, or altered */
export function unseal(sealed: string, parent: string): string {
  const bytes = Buffer.from(sealed, 'base64url');
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const ciphertext = bytes.subarray(NONCE_BYTES, -TAG_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', keyFrom(parent), nonce, {
    authTagLength: TAG_BYTES,
  }).setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
}

function keyFrom(parent: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', parent, '', 'signet refresh token successor', 32));
}
