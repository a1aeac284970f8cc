import fc from 'fast-check';
import { afterRefundNews } from './refund-news.js';
import { after, redirected, resumed, triedAgain } from './saga-outcomes.js';
import type { Outcome } from './saga-outcomes.js';
import { begun, newSaga, nextStep } from './saga-state.js';
import type { Call, SagaState } from './saga-state.js';
import { SimulatedServices } from './testing/simulated-services.js';

const EVENTS = [
  ...(['hold_lapses', 'provider_settles', 'cancel', 'refund', 'resume', 'twice'] as const),
  ...(['refunded_elsewhere', 'all_refunded_elsewhere', 'refunds_heard', 'tried_again'] as const),
];

/** What befalls a call, and what happens in the world before it. */
interface Turn {
  fate: 'answered' | 'lost_before' | 'lost_after' | 'crash_before' | 'crash_after';
  event: (typeof EVENTS)[number] | 'nothing';
}

const turn: fc.Arbitrary<Turn> = fc.record({
  fate: fc.oneof(
    { weight: 4, arbitrary: fc.constant('answered' as const) },
    fc.constantFrom('lost_before', 'lost_after', 'crash_before', 'crash_after'),
  ),
  event: fc.oneof(
    { weight: 5, arbitrary: fc.constant('nothing' as const) },
    fc.constantFrom(...EVENTS),
  ),
});

const MINUTE = 60_000;

/** A saga as its row keeps it, and the services it calls. */
class Checkout {
  readonly services: SimulatedServices;
  stored: SagaState;
  now = 0;

  constructor(luck: readonly number[], total: number) {
    this.services = new SimulatedServices(luck, total);
    this.stored = newSaga(total, 0);
  }

  take({ fate, event }: Turn): void {
    this.now += MINUTE;
    this.befall(event);
    this.proceed(fate);
  }

  /** Nothing goes wrong any more, and whatever halted is let go on. */
  settle(): void {
    for (let steps = 0; steps < 60 && !this.stored.done; steps++) {
      this.now += 1_000;
      this.services.settle();
      this.hear();
      if (this.stored.halted !== null) this.stored = resumed(this.stored, this.now);
      this.proceed('answered');
    }
  }

  private proceed(fate: Turn['fate']): void {
    const step = nextStep(this.stored, this.now);
    if (step === 'rest') return;
    if (step === 'finish') {
      if (!fate.startsWith('crash')) this.stored = { ...this.stored, done: true };
      return;
    }
    this.stored = begun(this.stored, step);
    if (fate === 'crash_before') return;
    const outcome = this.call(step, fate);
    if (fate !== 'crash_after') this.stored = after(this.stored, step, outcome, this.now);
  }

  private call(step: Call, fate: Turn['fate']): Outcome {
    const lost: Outcome = { kind: 'unanswered', reason: 'lost' };
    if (fate === 'lost_before') return lost;
    const outcome = this.services.call(step, this.stored.round, this.now);
    return fate === 'lost_after' ? lost : outcome;
  }

  /** As the refund watch does; a bank that sends money back is told of elsewhere. */
  private hear(): void {
    if (this.services.isPaid) {
      this.stored = afterRefundNews(this.stored, this.services.news(), this.now);
    }
  }

  private befall(event: Turn['event']): void {
    const { goal, done } = this.stored;
    if (event === 'hold_lapses') this.services.lapse();
    if (event === 'provider_settles') this.services.settle();
    if (event === 'refunded_elsewhere') this.services.refundElsewhere(2);
    if (event === 'all_refunded_elsewhere') this.services.refundElsewhere(1);
    if (event === 'refunds_heard') this.hear();
    if (event === 'tried_again') this.stored = triedAgain(this.stored);
    if (event === 'resume') this.stored = resumed(this.stored, this.now);
    if (event === 'cancel' && goal === 'confirmed') {
      this.stored = redirected(this.stored, 'cancelled', 'cancelled', this.now);
    }
    if (event === 'refund' && goal === 'confirmed' && done) {
      this.stored = redirected(this.stored, 'refunded', 'refunded', this.now);
    }
    if (event === 'twice') {
      // Another worker took the same step with what was stored then; its outcome is not stored.
      const step = nextStep(this.stored, this.now);
      if (step !== 'rest' && step !== 'finish') {
        this.stored = begun(this.stored, step);
        this.services.call(step, this.stored.round, this.now);
      }
    }
  }
}

const luck = fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 30 });
const total = fc.constantFrom(1999, 1999, 1999, 0);

describe('the checkout saga, whatever happens on its way', () => {
  it('comes to an end, and money and stock are where the end says they are', () => {
    fc.assert(
      fc.property(luck, total, fc.array(turn, { maxLength: 60 }), (numbers, amount, turns) => {
        const checkout = new Checkout(numbers, amount);
        for (const each of turns) checkout.take(each);
        checkout.settle();
        expect(checkout.stored).toMatchObject({ done: true, halted: null });
        const isConfirmed = checkout.stored.goal === 'confirmed';
        const { givenElsewhere, ...balance } = checkout.services.balance();
        expect(balance).toEqual({
          taken: isConfirmed ? amount - givenElsewhere : 0,
          held: 0,
          sold: isConfirmed ? 1 : 0,
          reserved: 0,
        });
        if (!isConfirmed) expect(checkout.stored.reason).toBeTruthy();
      }),
      { numRuns: 3_000 },
    );
  });

  it('is confirmed in the fewest steps when nothing goes wrong', () => {
    const checkout = new Checkout([99], 1999);
    const steps: string[] = [];
    while (!checkout.stored.done) {
      steps.push(nextStep(checkout.stored, checkout.now));
      checkout.take({ fate: 'answered', event: 'nothing' });
    }
    expect(steps).toEqual(['reserve', 'authorize', 'commit', 'capture', 'finish']);
  });

  it('asks nobody for anything once it is done or halted', () => {
    const done = { ...newSaga(1, 0), done: true };
    const halted = { ...newSaga(1, 0), halted: 'why' };
    expect([nextStep(done, 0), nextStep(halted, 0)]).toEqual(['rest', 'rest']);
  });

  it('has a next step in every state that it can be in', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(luck, fc.array(turn, { maxLength: 40 }), (numbers, turns) => {
        const checkout = new Checkout(numbers, 1999);
        for (const each of turns) {
          checkout.take(each);
          const { goal, stock, money } = checkout.stored;
          reached.add(`${goal} ${stock} ${money}`);
          expect(() => nextStep(checkout.stored, checkout.now)).not.toThrow();
        }
      }),
      { numRuns: 1_000 },
    );
    expect(reached.size).toBeGreaterThan(30);
  });
});
