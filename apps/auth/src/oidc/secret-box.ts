import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
} from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A key of 32 bytes for one purpose out of a longer-lived secret (RFC 5869). */
export function keyFor(purpose: string, secret: string, salt = ''): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, `signet ${purpose}`, 32));
}

export function hmac(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

/** Encrypts for whoever has the key: AES-256-GCM, `<nonce><ciphertext><tag>` in base64url. */
export function seal(key: Uint8Array, plaintext: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  // As a key object: what the bytes of a key are, Node finds out by an exception that it throws.
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), nonce);
  const ciphertext = [cipher.update(plaintext, 'utf8'), cipher.final()];
  return Buffer.concat([nonce, ...ciphertext, cipher.getAuthTag()]).toString('base64url');
}

/** @throws {Error} when it was sealed under another key, or altered */
export function unseal(key: Uint8Array, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64url');
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const plaintext = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
  return Buffer.concat([plaintext, decipher.final()]).toString('utf8');
}
