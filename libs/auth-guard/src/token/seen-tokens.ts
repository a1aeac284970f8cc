/** How many characters of a token make a number; 66 bits of the signature. */
const HASHED = 11;

/** With so many bits for each token, one in a hundred new ones looks like one that came before. */
const BITS_PER_TOKEN = 16;

/**
 * Tells a token that comes again from one that comes for the first time, in a few bits each.
 * Remembering a token is worth its price only when it is used again: one that is not costs the
 * collector more than a quarter of its verification.
 *
 * To be asked about verified tokens alone: nobody else can then write to it, and what is hashed is as
 * good as random. Nothing hangs on an answer but when a token is remembered. Two generations of a Bloom
 * filter: the young one becomes the old one when it is full, so a token is known for as long as `count`
 * others come for the first time, and forgotten after twice as many.
 */
export class SeenTokens {
  private young: Uint32Array;
  private old: Uint32Array;
  /** How many tokens `young` holds. */
  private held = 0;

  /** @param count how many tokens are known at least */
  constructor(private readonly count: number) {
    const words = 2 ** Math.ceil(Math.log2((Math.max(count, 2) * BITS_PER_TOKEN) / 32));
    this.young = new Uint32Array(words);
    this.old = new Uint32Array(words);
  }

  /** Whether a token came before. It has from now on. */
  comesAgain(token: string): boolean {
    const first = numberOf(token, token.length - HASHED);
    const second = numberOf(token, token.length);
    if (holds(this.young, first, second) || holds(this.old, first, second)) return true;
    if (this.held >= this.count) {
      [this.young, this.old] = [this.old.fill(0), this.young];
      this.held = 0;
    }
    setBit(this.young, first);
    setBit(this.young, second);
    this.held += 1;
    return false;
  }
}

/** A number of 32 bits from the characters before `end`. */
function numberOf(token: string, end: number): number {
  let number = 0;
  for (let i = end - HASHED; i < end; i++)
    number = (Math.imul(number, 67) + token.charCodeAt(i)) | 0;
  return number;
}

function holds(bits: Uint32Array, first: number, second: number): boolean {
  return hasBit(bits, first) && hasBit(bits, second);
}

// The lower five bits of a number choose the bit, those above them the word.

function hasBit(bits: Uint32Array, number: number): boolean {
  return (((bits[wordOf(bits, number)] ?? 0) >>> (number & 31)) & 1) === 1;
}

function setBit(bits: Uint32Array, number: number): void {
  const word = wordOf(bits, number);
  bits[word] = (bits[word] ?? 0) | (1 << (number & 31));
}

function wordOf({ length }: Uint32Array, number: number): number {
  return (number >>> 5) & (length - 1);
}
