/**
 * What the saga knows has become of the stock. `asked` and `committing` are written before the call,
 * so that a saga that was cut off knows what may have happened.
 */
export type StockFact =
  | 'none'
  | 'asked'
  | 'held'
  | 'committing'
  | 'committed'
  | 'released'
  | 'returned'
  /** Handed to the carrier: no longer ours to give back. */
  | 'shipped';

/** What the saga knows has become of the money. */
export type MoneyFact =
  | 'none'
  /** Nothing is to be paid. */
  | 'free'
  | 'asked'
  /** Asked for, and the provider's answer is open. */
  | 'authorizing'
  | 'authorized'
  | 'capturing'
  /** A capture or void whose outcome is open. */
  | 'settling'
  | 'captured'
  | 'refunding'
  /** A refund whose outcome is open. */
  | 'repaying'
  | 'voided'
  | 'failed'
  | 'refunded'
  /** Given back by other means than its payment, as a person says. */
  | 'settled';

/** Where the saga wants the order to end. Everything but `confirmed` undoes what was done. */
export type Goal = 'confirmed' | 'rejected' | 'cancelled' | 'refunded';

export interface SagaState {
  readonly goal: Goal;
  readonly stock: StockFact;
  readonly money: MoneyFact;
  readonly paymentId: string | null;
  /** When the hold ends, in milliseconds since the epoch. */
  readonly heldUntil: number;
  /** Part of every Idempotency-Key. Another round asks anew for what was refused for good. */
  readonly round: number;
  /** Tries since something last changed, and when that was. */
  readonly tries: number;
  readonly since: number;
  /** Why it does not end in `confirmed`, for the customer. */
  readonly reason: string | null;
  /** Why only a human can go on; null while the saga goes on by itself. */
  readonly halted: string | null;
  readonly done: boolean;
}

export type Call =
  | 'reserve'
  | 'extend'
  | 'authorize'
  | 'look'
  | 'commit'
  | 'capture'
  | 'void'
  | 'refund'
  | 'release'
  | 'return';

/** A call to another service, `finish` (the goal is reached) or `rest` (nothing to do). */
export type Step = Call | 'finish' | 'rest';

/** A hold is made to last at least this long before money is asked for, or while it is waited for. */
const HOLD_MARGIN_MS = 300_000;

export function newSaga(total: number, now: number): SagaState {
  return {
    ...{ goal: 'confirmed', stock: 'none', money: total === 0 ? 'free' : 'none' },
    ...{ paymentId: null, heldUntil: 0, round: 1, tries: 0, since: now },
    ...{ reason: null, halted: null, done: false },
  };
}

/** What is to be done next: the whole order of the checkout and of its undoing. */
export function nextStep(state: SagaState, now: number): Step {
  if (state.done || state.halted !== null) return 'rest';
  return state.goal === 'confirmed' ? forward(state, now) : back(state);
}

function forward({ stock, money, heldUntil }: SagaState, now: number): Step {
  if (stock === 'none' || stock === 'asked') return 'reserve';
  const isHeld = stock === 'held' && heldUntil - now < HOLD_MARGIN_MS;
  switch (money) {
    case 'none':
    case 'asked':
      return isHeld ? 'extend' : 'authorize';
    case 'authorizing':
      return isHeld ? 'extend' : 'look';
    case 'free':
      return stock === 'committed' ? 'finish' : 'commit';
    case 'authorized':
      return stock === 'committed' ? 'capture' : 'commit';
    case 'capturing':
      return 'capture';
    case 'settling':
      return 'look';
    case 'captured':
      return stock === 'committed' ? 'finish' : 'commit';
    default:
      throw new Error(`A checkout cannot go on with money ${money}.`);
  }
}

function back({ stock, money }: SagaState): Step {
  switch (money) {
    case 'asked':
      // Whether the request arrived is not known. An order has one payment, so asking again finds out,
      // and what is voided then stays void whenever the first request arrives.
      return 'authorize';
    case 'authorizing':
    case 'settling':
    case 'repaying':
      return 'look';
    case 'authorized':
    case 'capturing':
      return 'void';
    case 'captured':
    case 'refunding':
      return 'refund';
    case 'none':
    case 'free':
    case 'voided':
    case 'failed':
    case 'refunded':
    case 'settled':
      return backWithStock(stock);
  }
}

function backWithStock(stock: StockFact): Step {
  switch (stock) {
    case 'asked':
    case 'held':
    case 'committing':
      return 'release';
    case 'committed':
      return 'return';
    case 'none':
    case 'released':
    case 'returned':
    case 'shipped':
      return 'finish';
  }
}

const BEFORE: Partial<Record<Step, Partial<SagaState>>> = {
  reserve: { stock: 'asked' },
  authorize: { money: 'asked' },
  commit: { stock: 'committing' },
  capture: { money: 'capturing' },
  refund: { money: 'refunding' },
};

/** What must be known of a step, should nothing be heard of it any more. Stored before the call. */
export function begun(state: SagaState, step: Step): SagaState {
  return { ...state, ...BEFORE[step] };
}
