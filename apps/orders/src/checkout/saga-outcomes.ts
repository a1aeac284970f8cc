import type { Call, Goal, MoneyFact, SagaState } from './saga-state.js';

/** A payment as payments tells of it, as far as the saga cares. */
export interface PaymentNews {
  id: string;
  status:
    | 'requires_confirmation'
    | 'processing'
    | 'requires_capture'
    | 'succeeded'
    | 'canceled'
    | 'failed';
  isRefunded: boolean;
  /** Whether the outcome of any refund is open. */
  isRefunding: boolean;
  /** The provider's code of the newest refund that failed. */
  refundFailure: string | undefined;
  reason: string | undefined;
}

/** What came of a call. */
export type Outcome =
  | { kind: 'held'; until: number }
  | { kind: 'committed' | 'released' | 'returned' }
  /** Nothing is held, and why: the order cannot be had. */
  | { kind: 'stock_refused'; reason: string }
  /** The hold is over; stock that was committed says so instead. */
  | { kind: 'hold_over' }
  | { kind: 'payment'; payment: PaymentNews }
  | { kind: 'refund'; status: 'pending' | 'succeeded' | 'failed'; reason: string | undefined }
  /** Payments takes no such payment, and has recorded none. */
  | { kind: 'payment_refused'; reason: string }
  /** The payment was asked for something that its state does not allow: look at it. */
  | { kind: 'payment_elsewhere' }
  /** Nobody answered, or nobody could: what was asked may or may not have happened. */
  | { kind: 'unanswered'; reason: string; retryAfterMs?: number }
  /** The answer was no, and no repetition will change it. */
  | { kind: 'refused'; reason: string };

/** What the saga knows after an outcome. Knows nothing of how it was come by. */
export function after(state: SagaState, call: Call, outcome: Outcome, now: number): SagaState {
  switch (outcome.kind) {
    case 'held': {
      const held = { stock: 'held', heldUntil: outcome.until } as const;
      // To hold for longer is not to get on: how long the rest is waited for counts on.
      return call === 'extend' ? { ...state, ...held } : progress(state, held, now);
    }
    case 'committed':
    case 'released':
    case 'returned':
      return progress(state, { stock: outcome.kind }, now);
    case 'stock_refused':
      return progress(giveUp(state, outcome.reason), { stock: 'none' }, now);
    case 'hold_over': {
      const reason = 'the items were not held any longer';
      return progress(giveUp(state, reason), { stock: 'released' }, now);
    }
    case 'payment':
      return afterPayment(state, call, outcome.payment, now);
    case 'refund':
      return afterRefund(state, outcome, now);
    case 'payment_refused':
      return progress(giveUp(state, outcome.reason), { money: 'none' }, now);
    case 'payment_elsewhere':
      return waited({ ...state, money: call === 'refund' ? 'repaying' : 'settling' });
    case 'unanswered':
      return waited(state);
    case 'refused':
      return halt(state, `${WORDS[call]} was refused: ${outcome.reason}`);
  }
}

/** Stops the saga until a human lets it go on. */
export function halt(state: SagaState, reason: string): SagaState {
  return { ...state, halted: reason };
}

/** Lets a halted saga go on from what it knows. */
export function resumed(state: SagaState, now: number): SagaState {
  return { ...state, halted: null, tries: 0, since: now };
}

/**
 * Lets a saga that stopped because it had waited for too long take its next step once more. Only if it
 * gets on is it given time again.
 */
export function triedAgain(state: SagaState): SagaState {
  return { ...state, halted: null };
}

/** Whether it has stopped since its money could not be given back. */
export function isRefundFailed({ goal, money, halted }: SagaState): boolean {
  return halted !== null && goal !== 'confirmed' && money === 'captured';
}

/** Lets a saga go on whose refund failed, as if it had not. */
export function settled(state: SagaState, now: number): SagaState {
  return { ...resumed(state, now), money: 'settled' };
}

/** Turns the saga around, whatever it was about. */
export function redirected(state: SagaState, goal: Goal, reason: string, now: number): SagaState {
  return { ...state, goal, reason, halted: null, done: false, tries: 0, since: now };
}

export const PAID_BACK = 'the payment was refunded';

/** What a human reads of a call that came to nothing. */
export const WORDS: Record<Call, string> = {
  reserve: 'holding the items',
  extend: 'holding the items for longer',
  authorize: 'authorizing the payment',
  look: 'asking for the outcome of the payment',
  commit: 'taking the items out of the stock',
  capture: 'capturing the payment',
  void: 'voiding the payment',
  refund: 'refunding the payment',
  release: 'releasing the items',
  return: 'returning the items to the stock',
};

function afterPayment(
  state: SagaState,
  call: Call,
  { id, status, isRefunded, isRefunding, refundFailure, reason }: PaymentNews,
  now: number,
): SagaState {
  const known = { ...state, paymentId: id };
  const become = (money: MoneyFact) => progress(known, { money }, now);
  switch (status) {
    case 'requires_confirmation':
      // Recorded and never sent on: a repetition under the old key would get the old answer.
      return waited({ ...known, money: 'asked', round: state.round + 1 });
    case 'processing':
      return waited({ ...known, money: state.money === 'asked' ? 'authorizing' : open(state) });
    case 'requires_capture':
      return afterAuthorization(known, call, now);
    case 'succeeded':
      if (isRefunded) {
        return progress(giveUp(known, PAID_BACK), { money: 'refunded' }, now);
      }
      if (state.money !== 'repaying') return become('captured');
      if (isRefunding) return waitedForBank(known, now);
      return refundFailed(known, refundFailure);
    case 'canceled':
      return progress(giveUp(known, 'the payment was voided'), { money: 'voided' }, now);
    case 'failed': {
      const declined = `the payment was declined${reason === undefined ? '' : ` (${reason})`}`;
      return progress(giveUp(known, declined), { money: 'failed' }, now);
    }
  }
}

/** The payment is authorized: that is what was hoped for, or a capture or void that came to nothing. */
function afterAuthorization(state: SagaState, call: Call, now: number): SagaState {
  const settled = call === 'capture' || call === 'void' || state.money === 'settling';
  if (!settled) return progress(state, { money: 'authorized' }, now);
  const next = { ...state, money: 'authorized' as const, round: state.round + 1 };
  if (state.goal === 'confirmed') return giveUp(next, 'the payment could not be captured');
  return waited(next);
}

function afterRefund(
  state: SagaState,
  { status, reason }: { status: 'pending' | 'succeeded' | 'failed'; reason: string | undefined },
  now: number,
): SagaState {
  // That was what was left. Whether it was all of it, only the payment knows: other refunds may be
  // open, and come to nothing.
  if (status === 'succeeded') return progress(state, { money: 'repaying' }, now);
  if (status === 'pending') return waitedForBank({ ...state, money: 'repaying' }, now);
  return refundFailed(state, reason);
}

/** The money is still with the shop. Only a human can say whether to try that again. */
export function refundFailed(state: SagaState, reason: string | undefined): SagaState {
  const next = { ...state, money: 'captured' as const, round: state.round + 1 };
  return halt(next, `refunding the payment failed: ${reason ?? 'the provider gave no reason'}`);
}

function open({ money }: SagaState): MoneyFact {
  return money === 'authorizing' || money === 'repaying' ? money : 'settling';
}

/** The checkout cannot succeed; a saga that is on its way back keeps its reason. */
function giveUp(state: SagaState, reason: string): SagaState {
  return state.goal === 'confirmed' ? { ...state, goal: 'rejected', reason } : state;
}

function progress(state: SagaState, change: Partial<SagaState>, now: number): SagaState {
  return { ...state, ...change, tries: 0, since: now };
}

function waited(state: SagaState): SagaState {
  return { ...state, tries: state.tries + 1 };
}

/** Banks take days to give money back. That they do is known, and nobody's patience wears thin. */
function waitedForBank(state: SagaState, now: number): SagaState {
  return waited({ ...state, since: now });
}
