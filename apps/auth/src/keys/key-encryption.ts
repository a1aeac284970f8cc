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

  /** Whether the envelope is under the key that `wrap` uses now. */
  abstract isCurrent(envelope: string): boolean;
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
  private readonly current: IdentifiedKey;
  private readonly readable: readonly IdentifiedKey[];

  /**
   * @param key 32 bytes
   * @param previous another key, whose envelopes can still be opened
   */
  constructor(key: Uint8Array, previous?: Uint8Array) {
    super();
    this.current = identified(key);
    this.readable = [this.current, ...(previous ? [identified(previous)] : [])];
  }

  isCurrent(envelope: string): boolean {
    return envelope.startsWith(`${VERSION}.${this.current.id}.`);
  }

  wrap(kid: string, secret: Uint8Array): Promise<string> {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.current.key, nonce).setAAD(Buffer.from(kid));
    const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
    const parts = [nonce, ciphertext, cipher.getAuthTag()];
    return Promise.resolve(
      [VERSION, this.current.id, ...parts.map((part) => part.toString('base64url'))].join('.'),
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
    const key = this.readable.find((known) => known.id === id)?.key;
    if (!key) {
      throw new KeyEncryptionError(
        `Signing key ${kid} is encrypted under the key-encryption key ${id ?? ''}, ` +
          `but SIGNET_KEY_ENCRYPTION_KEY is ${this.current.id}. Give the service the key that it ` +
          'was made with, as SIGNET_KEY_ENCRYPTION_KEY_PREVIOUS when the key was changed, or remove ' +
          'the signing keys to have new ones made; tokens signed by them end then.',
      );
    }
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
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

interface IdentifiedKey {
  id: string;
  key: Uint8Array;
}

/** A key with a name that tells nothing of it. */
function identified(key: Uint8Array): IdentifiedKey {
  const digest = createHmac('sha256', key)
    .update('signet key-encryption key id')
    .digest('base64url');
  return { id: digest.slice(0, 11), key };
}
