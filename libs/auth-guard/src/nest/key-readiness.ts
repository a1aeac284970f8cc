import { Inject, Injectable } from '@nestjs/common';
import type { KeySource } from '../keys/key-source.js';
import { KEY_SOURCE } from './module-definition.js';

/** Whether tokens can be verified now, for a readiness probe. */
@Injectable()
export class KeyReadiness {
  /** @internal */
  constructor(@Inject(KEY_SOURCE) private readonly keys: KeySource) {}

  /** Whether the keys of the first issuer are at hand. */
  isReady(): boolean {
    return this.keys.isReady?.() ?? true;
  }

  /**
   * For indicators that expect an error.
   *
   * @throws {Error} whose message says what is missing
   */
  checkReadiness(): void {
    if (!this.isReady()) throw new Error('the keys that verify access tokens cannot be had');
  }
}
