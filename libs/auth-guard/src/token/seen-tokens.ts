/** How many characters of a token make a number; 66 bits of the signature. */
const HASHED = 11;

/**
 * Tells a token that comes again from one that comes for the first time, by a number of its signature
 * in a table that never grows. Remembering a token is worth its price only when it is used again: one
 * that is not costs the collector more garbage than a third of its verification.
 *
 * To be asked about verified tokens alone: nobody else can then write to the table, and what is hashed
 * is as good as random. Nothing hangs on an answer but when a token is remembered. A token that came
 * long ago may count as new, since newer ones take its place; a new one counts as known once in 2^32.
 */
export class SeenTokens {
  private readonly slots: Uint32Array;

  /** @param count tokens to know apart, at least */
  constructor(count: number) {
    this.slots = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(count, 1))));
  }

  /** Whether a token came before. It has from now on. */
  comesAgain(token: string): boolean {
    const slot = numberOf(token, token.length - HASHED) & (this.slots.length - 1);
    const print = numberOf(token, token.length) >>> 0;
    const again = this.slots[slot] === print;
    this.slots[slot] = print;
    return again;
  }
}

/** A number of 32 bits from the characters before `end`. */
function numberOf(token: string, end: number): number {
  let number = 0;
  for (let i = end - HASHED; i < end; i++)
    number = (Math.imul(number, 67) + token.charCodeAt(i)) | 0;
  return number;
}
