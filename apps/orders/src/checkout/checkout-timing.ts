export interface CheckoutTiming {
  /** How long one thing is tried before a human has to look. */
  patienceMs: number;
  /** How often what was tried for too long is tried again. */
  retryMs: number;
  /** A saga that was due this long ago has lost its worker. */
  stuckMs: number;
  /** How often payments is asked what became of refunds. */
  refundsEveryMs: number;
}

export const CHECKOUT_TIMING = Symbol('CHECKOUT_TIMING');
