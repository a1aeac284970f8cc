import fc from 'fast-check';
import {
  nextState,
  PAYMENT_STATES,
  PAYMENT_STATUSES,
  PAYMENT_TRANSITIONS,
  REFUND_TRANSITIONS,
  statesOf,
  statusOf,
} from './payment-states.js';
import type { PaymentEvent, PaymentState } from './payment-states.js';

const FINAL: PaymentState[] = ['succeeded', 'canceled'];
/** What only the provider can say, and what we ask for. */
const NEWS: PaymentEvent[] = ['authorized', 'declined', 'captured', 'canceled', 'refused'];
const REQUESTS: PaymentEvent[] = ['authorize', 'capture', 'void'];
const event = fc.constantFrom(...NEWS, ...REQUESTS);

const after = (events: PaymentEvent[], start: PaymentState = 'requires_confirmation') =>
  events.reduce<PaymentState[]>(
    (path, next) => {
      const state = path.at(-1) ?? start;
      return [...path, nextState(PAYMENT_TRANSITIONS, state, next) ?? state];
    },
    [start],
  );

function reachable(start: PaymentState, events: PaymentEvent[]): Set<PaymentState> {
  const found = new Set([start]);
  for (const state of found) {
    for (const next of events) found.add(nextState(PAYMENT_TRANSITIONS, state, next) ?? state);
  }
  return found;
}

describe('the states of a payment', () => {
  it('are all reached', () => {
    expect(reachable('requires_confirmation', [...REQUESTS, ...NEWS])).toEqual(
      new Set(PAYMENT_STATES),
    );
  });

  it.each(PAYMENT_STATES)('have no dead end: %s is final or leads to an end', (state) => {
    const ends = reachable(state, [...REQUESTS, ...NEWS]);
    expect(FINAL.some((final) => ends.has(final))).toBe(true);
  });

  it('that wait for the provider are left by news alone, whatever was asked', () => {
    for (const state of statesOf('processing')) {
      for (const request of REQUESTS) {
        expect(nextState(PAYMENT_TRANSITIONS, state, request)).toBeUndefined();
      }
      expect([...reachable(state, NEWS)].length).toBeGreaterThan(1);
    }
  });

  it('stay as they are once money is taken or let go, whatever comes afterwards', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const path = after(events);
        const first = path.findIndex((state) => FINAL.includes(state));
        if (first >= 0) expect(new Set(path.slice(first)).size).toBe(1);
      }),
    );
  });

  it('take money only for a capture, and never after it was declined', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const path = after(events);
        if (path.at(-1) === 'succeeded') expect(events).toContain('captured');
        if (path.includes('failed')) expect(path).not.toContain('succeeded');
      }),
    );
  });

  it('are the same whether news comes once, twice or again later', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...NEWS), { maxLength: 8 }), (news) => {
        const story: PaymentEvent[] = ['authorize', 'authorized', 'capture', 'captured'];
        const doubled = story.flatMap((step) => (NEWS.includes(step) ? [step, step] : [step]));
        expect(after([...doubled, ...news]).at(-1)).toBe('succeeded');
      }),
    );
  });

  it('are seen as the statuses that the contract names, each of them', () => {
    expect(new Set(PAYMENT_STATES.map(statusOf))).toEqual(new Set(PAYMENT_STATUSES));
    for (const status of PAYMENT_STATUSES) {
      for (const state of statesOf(status)) expect(statusOf(state)).toBe(status);
    }
  });
});

describe('the states of a refund', () => {
  it('end in failed for good: a success that is told later is an old one', () => {
    const news = fc.array(fc.constantFrom('succeeded' as const, 'failed' as const));
    fc.assert(
      fc.property(news, (events) => {
        let state: 'pending' | 'succeeded' | 'failed' = 'pending';
        for (const next of events) state = nextState(REFUND_TRANSITIONS, state, next) ?? state;
        const expected = events.includes('failed') ? 'failed' : 'succeeded';
        expect(state).toBe(events.length === 0 ? 'pending' : expected);
      }),
    );
  });
});
