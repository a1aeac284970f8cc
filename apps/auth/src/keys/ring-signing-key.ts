import { ExternalSigningKey } from 'oidc-provider';
import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { RingKey } from './key-ring.js';

const signAsync = promisify(sign);

/**
 * A key of the ring, as the engine asks for signatures. Given the key itself it would sign with
 * WebCrypto, whose detours by way of JWK, promises and text take the event loop a quarter of the time
 * that the signature takes a thread of the pool.
 */
export class RingSigningKey extends ExternalSigningKey {
  /** @param maySign asked for each signature, whatever it is for */
  constructor(
    private readonly key: RingKey,
    private readonly maySign: () => boolean,
  ) {
    super();
  }

  override get kid(): string {
    return this.key.row.kid;
  }

  override get alg(): string {
    return 'RS256';
  }

  /** The public one, to publish and to verify with. */
  override keyObject(): KeyObject {
    return this.key.publicKey;
  }

  /**
   * On a thread of the pool.
   *
   * @throws {Error} while nobody can say which key may sign
   */
  override async sign(data: Uint8Array): Promise<Buffer> {
    if (!this.maySign()) throw new Error('there is no key that may sign');
    return signAsync('sha256', data, this.key.privateKey);
  }
}
