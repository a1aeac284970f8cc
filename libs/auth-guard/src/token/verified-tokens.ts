import type { KeyObject } from 'node:crypto';
import type { Principal } from './principal.js';

/** A token that passed every check, with what the checks on a repeated use need. */
export interface VerifiedToken {
  readonly principal: Principal;
  readonly kid: string;
  /** The very key that verified it. */
  readonly key: KeyObject;
}

/**
 * Remembers verified tokens under their whole text, so that two tokens can never share an entry.
 * Only a verified token gets in: whoever cannot sign cannot fill it.
 *
 * Bounded by two generations instead of a list in order of use: entries move to the young one when
 * they are used, and when that is full the old one is dropped as a whole. Reading costs one or two
 * look-ups however many tokens have passed through, and an entry that nobody uses is gone after one
 * turn.
 */
export class VerifiedTokens {
  private young = new Map<string, VerifiedToken>();
  private old = new Map<string, VerifiedToken>();
  private readonly generationSize: number;

  /** @param maxEntries at most so many tokens are held; 0 turns the cache off */
  constructor(maxEntries: number) {
    this.generationSize = Math.floor(maxEntries / 2);
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  get(token: string): VerifiedToken | undefined {
    const entry = this.young.get(token);
    if (entry) return entry;
    const older = this.old.get(token);
    if (older) {
      this.old.delete(token);
      this.set(token, older);
    }
    return older;
  }

  set(token: string, entry: VerifiedToken): void {
    if (this.generationSize === 0) return;
    if (this.young.size >= this.generationSize) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(token, entry);
  }

  delete(token: string): void {
    this.young.delete(token);
    this.old.delete(token);
  }
}
