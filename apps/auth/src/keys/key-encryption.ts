import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

/**
 * What keeps private keys unreadable in the database: a key in the environment today, a key management
 * service tomorrow.
 */
export abstract class KeyEncryption {
  /** Encrypts the private key `kid`. The envelope opens for this `kid` alone. */
  abstract wrap(kid: string, secret: Uint8Array): Promise<string>;

  /** @throws {KeyEncryptionError} when the envelope is another key's, altered, or under another key */
  abstract unwrap(kid: string, envelope: string): Promise<Uint8Array>;
}

/** A signing key cannot be opened. Its message says what to mend. */
export class KeyEncryptionError extends Error {
  override readonly name = 'KeyEncryptionError';
  readonly code = 'key_encryption_failed';
}

const VERSION = 'v1';
const NONCE_BYTES = 12;

/**
 * AES-256-GCM under one key, the `kid` as associated data (NIST SP 800-38D). An envelope is
 * `v1.<key id>.<nonce>.<ciphertext>.<tag>`, the parts in base64url.
 */
export class AesGcmKeyEncryption extends KeyEncryption {
  private readonly id: string;

  /** @param key 32 bytes */
  constructor(private readonly key: Uint8Array) {
    super();
    this.id = createHmac('sha256', key)
      .update('signet key-encryption key id')
      .digest('base64url')
      .slice(0, 11);
  }

  wrap(kid: string, secret: Uint8Array): Promise<string> {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce).setAAD(Buffer.from(kid));
    const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
    const parts = [nonce, ciphertext, cipher.getAuthTag()];
    return Promise.resolve(
      [VERSION, this.id, ...parts.map((part) => part.toString('base64url'))].join('.'),
    );
  }

  unwrap(kid: string, envelope: string): Promise<Uint8Array> {
    return new Promise((resolve) => resolve(this.open(kid, envelope)));
  }

  private open(kid: string, envelope: string): Uint8Array {
    const [version, id, ...parts] = envelope.split('.');
    const [nonce, ciphertext, tag] = parts.map((part) => Buffer.from(part, 'base64url'));
    if (version !== VERSION || !nonce || !ciphertext || !tag) {
      throw new KeyEncryptionError(`Signing key ${kid} is in an envelope of an unknown form.`);
    }
    if (id !== this.id) {
      throw new KeyEncryptionError(
        `Signing key ${kid} is encrypted under the key-encryption key ${id ?? ''}, ` +
          `but SIGNET_KEY_ENCRYPTION_KEY is ${this.id}. Give the service the key that it was made ` +
          'with, or remove the signing keys to have new ones made; tokens signed by them end then.',
      );
    }
    const decipher = createDecipheriv('aes-256-gcm', this.key, nonce, { authTagLength: 16 });
    try {
      decipher.setAAD(Buffer.from(kid)).setAuthTag(tag);
      return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
    } catch {
      throw new KeyEncryptionError(
        `The envelope of signing key ${kid} has been altered, or belongs to another key.`,
      );
    }
  }
}
