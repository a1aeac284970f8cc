/**
 * Where a payment can be. What others see as `processing` is three states here, since what an answer
 * means depends on what was asked.
 */
export const PAYMENT_STATES = [
  'requires_confirmation',
  'authorizing',
  'requires_capture',
  'capturing',
  'voiding',
  'succeeded',
  'canceled',
  'failed',
] as const;

export type PaymentState = (typeof PAYMENT_STATES)[number];

/**
 * `authorize`, `capture` and `void` are asked for here; the others are what the provider says, in an
 * answer, in a webhook or when it is asked again.
 */
export type PaymentEvent =
  | 'authorize'
  | 'capture'
  | 'void'
  | 'authorized'
  | 'declined'
  | 'captured'
  | 'canceled'
  /** What was asked will not happen, and nothing has changed. */
  | 'refused';

type Transitions<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, State>>>>
>;

/**
 * The life of a payment. News that a state has no place for is old: it was sent before something that
 * is known already, and changes nothing. That is why answers and webhooks may come in any order and
 * twice.
 */
export const PAYMENT_TRANSITIONS: Transitions<PaymentState, PaymentEvent> = {
  requires_confirmation: { authorize: 'authorizing', void: 'canceled' },
  authorizing: {
    ...{ authorized: 'requires_capture', declined: 'failed' },
    // Done at the provider by someone else before we knew that it was authorized.
    ...{ captured: 'succeeded', canceled: 'canceled' },
  },
  requires_capture: {
    ...{ capture: 'capturing', void: 'voiding' },
    // An authorization lapses by itself, and people use the provider's own pages.
    ...{ captured: 'succeeded', canceled: 'canceled' },
  },
  capturing: { captured: 'succeeded', canceled: 'canceled', refused: 'requires_capture' },
  voiding: { canceled: 'canceled', captured: 'succeeded', refused: 'requires_capture' },
  failed: { void: 'canceled' },
  succeeded: {},
  canceled: {},
};

export type RefundState = 'pending' | 'succeeded' | 'failed';

/** A refund that went through may still come back from the customer's bank. */
export const REFUND_TRANSITIONS: Transitions<RefundState, 'succeeded' | 'failed'> = {
  pending: { succeeded: 'succeeded', failed: 'failed' },
  succeeded: { failed: 'failed' },
  failed: {},
};

/** The state after an event, or undefined when the state has no place for it. */
export function nextState<State extends string, Event extends string>(
  transitions: Transitions<State, Event>,
  state: State,
  event: Event,
): State | undefined {
  return transitions[state][event];
}

export const PAYMENT_STATUSES = [
  'requires_confirmation',
  'processing',
  'requires_capture',
  'succeeded',
  'canceled',
  'failed',
] as const;

/** After Stripe's PaymentIntent, which most readers know. */
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

const UNDER_WAY: readonly PaymentState[] = ['authorizing', 'capturing', 'voiding'];

export function statusOf(state: PaymentState): PaymentStatus {
  switch (state) {
    case 'authorizing':
    case 'capturing':
    case 'voiding':
      return 'processing';
    default:
      return state;
  }
}

/** The states that are seen as one status. */
export function statesOf(status: PaymentStatus): readonly PaymentState[] {
  return status === 'processing' ? UNDER_WAY : [status];
}
