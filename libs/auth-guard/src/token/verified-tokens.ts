import type { KeyObject } from 'node:crypto';
import type { Principal } from './principal.js';

/** A token that passed every check, with what the checks on a repeated use need. */
export interface VerifiedToken {
  readonly token: string;
  readonly principal: Principal;
  readonly kid: string;
  /** The very key that verified it. */
  readonly key: KeyObject;
}

/** What one entry of ordinary size holds, in characters of the token. */
const ENTRY_LENGTH = 1024;

/** How much of a token's end finds its entry: 258 bits of the signature. */
const TAIL_LENGTH = 43;

/**
 * Remembers verified tokens by their whole text, so that two tokens can never share an entry: the end
 * of the signature finds the entry, and then all of it is compared. That costs a tenth of hashing a
 * whole token. Only a verified token gets in: whoever cannot sign cannot fill it.
 *
 * Bounded by two generations instead of a list in order of use: entries move to the young one when
 * they are used, and when that is full the old one is dropped as a whole. Reading costs one or two
 * look-ups however many tokens have passed through, and an entry that nobody uses is gone after one
 * turn.
 */
export class VerifiedTokens {
  private young = new Map<string, VerifiedToken>();
  private old = new Map<string, VerifiedToken>();
  /** Characters in `young`. */
  private length = 0;
  private readonly maxLength: number;

  /** @param maxEntries of ordinary size, fewer of large ones; 0 remembers nothing */
  constructor(maxEntries: number) {
    this.maxLength = (maxEntries / 2) * ENTRY_LENGTH;
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  get(token: string): VerifiedToken | undefined {
    if (this.maxLength === 0) return undefined;
    const tail = tailOf(token);
    const entry = this.young.get(tail);
    if (entry?.token === token) return entry;
    const older = this.old.get(tail);
    if (older?.token !== token) return undefined;
    this.old.delete(tail);
    this.set(older);
    return older;
  }

  set(entry: VerifiedToken): void {
    const length = Math.max(entry.token.length, ENTRY_LENGTH);
    if (length > this.maxLength) return;
    if (this.length + length > this.maxLength) {
      this.old = this.young;
      this.young = new Map();
      this.length = 0;
    }
    this.young.set(tailOf(entry.token), entry);
    this.length += length;
  }

  delete({ token }: VerifiedToken): void {
    const tail = tailOf(token);
    for (const generation of [this.young, this.old]) {
      if (generation.get(tail)?.token === token) generation.delete(tail);
    }
  }
}

function tailOf(token: string): string {
  return token.slice(-TAIL_LENGTH);
}
