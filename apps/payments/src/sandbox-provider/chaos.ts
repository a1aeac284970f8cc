import { createHmac } from 'node:crypto';

/** What goes wrong on purpose. Shares are of all calls or events, 0 to 1; 0 by default. */
export interface Chaos {
  /** Where the draws start from: the same seed and the same calls in the same order go wrong alike. */
  seed: number;
  /** Calls that are dropped before they take effect. */
  loseRequests: number;
  /** Calls that take effect and whose answer is dropped. */
  loseAnswers: number;
  /** Answers that come late, by `delayMs`. */
  delayAnswers: number;
  /** Milliseconds. */
  delayMs: number;
  /** Authorizations that are declined, whatever the method. */
  declines: number;
  /** Refunds that fail. */
  failRefunds: number;
  /** Refunds that are settled later, by an event. */
  pendingRefunds: number;
  /** Events that are sent twice. */
  duplicateWebhooks: number;
  /** Events that are never sent. */
  loseWebhooks: number;
  /** Each event waits for up to so many milliseconds, so that they come in any order. */
  webhookDelayMs: number;
  /** How long a review takes, in milliseconds. */
  reviewMs: number;
  /** How long `tok_slow` takes, in milliseconds. */
  slowMs: number;
}

export const CALM: Chaos = {
  seed: 1,
  loseRequests: 0,
  loseAnswers: 0,
  delayAnswers: 0,
  delayMs: 0,
  declines: 0,
  failRefunds: 0,
  pendingRefunds: 0,
  duplicateWebhooks: 0,
  loseWebhooks: 0,
  webhookDelayMs: 0,
  reviewMs: 2_000,
  slowMs: 1_500,
};

/**
 * Completes what was asked for with what is usual.
 *
 * @throws {Error} naming a knob that does not exist or a value that is no number
 */
export function readChaos(asked: unknown, before: Chaos = CALM): Chaos {
  if (typeof asked !== 'object' || asked === null) throw new Error('chaos: expected an object');
  const chaos = { ...before };
  for (const [knob, value] of Object.entries(asked)) {
    if (!Object.hasOwn(CALM, knob)) throw new Error(`chaos: there is no ${knob}`);
    if (typeof value !== 'number' || !(value >= 0)) {
      throw new Error(`chaos: ${knob}: expected a number, 0 or more`);
    }
    chaos[knob as keyof Chaos] = value;
  }
  return chaos;
}

/** Draws that depend on the seed and their number alone: each is an HMAC of its own. */
export class Dice {
  private draws = 0;

  constructor(private seed: number) {}

  startFrom(seed: number): void {
    this.seed = seed;
    this.draws = 0;
  }

  /** @returns at least 0, less than 1 */
  draw(): number {
    const mac = createHmac('sha256', String(this.seed)).update(String(this.draws++)).digest();
    return mac.readUInt32BE() / 2 ** 32;
  }

  /** Draws also when the share is 0, so that turning one knob leaves the others' luck as it was. */
  hits(share: number): boolean {
    return this.draw() < share;
  }
}
