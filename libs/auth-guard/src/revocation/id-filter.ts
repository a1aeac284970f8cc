/** For each entry that there may be; one in ten look-ups of an id that is not there passes then. */
const BITS_PER_ENTRY = 8;
const MAX_BITS = 2 ** 27;
const TAIL_LENGTH = 6;

/**
 * Says of nearly every id that it is not there, by one look into memory that fits into a processor's
 * cache. The look into a map of a million entries takes several, outside of it.
 */
export class IdFilter {
  private readonly words: Uint32Array;
  private readonly mask: number;

  constructor(maxEntries: number) {
    const bits = 2 ** Math.ceil(Math.log2(Math.max(1024, maxEntries * BITS_PER_ENTRY)));
    this.words = new Uint32Array(Math.min(bits, MAX_BITS) / 32);
    this.mask = this.words.length - 1;
  }

  /** False for an id that was never added. */
  mayHave(id: string): boolean {
    const hash = hashOf(id);
    return ((this.words[(hash >>> 5) & this.mask] ?? 0) & (1 << (hash & 31))) !== 0;
  }

  add(id: string): void {
    const hash = hashOf(id);
    const word = (hash >>> 5) & this.mask;
    this.words[word] = (this.words[word] ?? 0) | (1 << (hash & 31));
  }
}

/** Of the end alone: ids of sessions are random all along. Others are only found more slowly. */
function hashOf(id: string): number {
  let hash = id.length;
  for (let at = Math.max(0, id.length - TAIL_LENGTH); at < id.length; at++) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}
