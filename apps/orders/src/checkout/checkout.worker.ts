import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { Jobs } from '@signet/database';
import { rootCause } from '@signet/http';
import { CheckoutCalls } from './checkout-calls.js';
import type { CheckoutOrder } from './checkout-order.js';
import { CHECKOUT_TIMING } from './checkout-timing.js';
import type { CheckoutTiming } from './checkout-timing.js';
import { after, halt, triedAgain, WORDS } from './saga-outcomes.js';
import type { Outcome } from './saga-outcomes.js';
import { begun, nextStep } from './saga-state.js';
import type { Call, SagaState } from './saga-state.js';
import { CHECKOUT_QUEUE, SagaStore, SupersededError } from './saga-store.js';
import type { CheckoutJob, SagaRow } from './saga-store.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** Banks take days, and the refund watch hears when they are done. */
const LONGEST_PAUSE_FOR_BANK_MS = 900_000;
/** Clocks of replicas differ; a job that comes a little early is not too early. */
const EARLY_MS = 1_000;

/**
 * Takes sagas from step to step. It may be cut off anywhere: what is stored before each call is enough
 * to go on, and every call may be made again. Two workers on one saga do no harm, since the first to
 * store a step wins and the other leaves.
 */
@Injectable()
export class CheckoutWorker implements OnModuleInit {
  private readonly logger = new Logger('Checkout');

  constructor(
    private readonly jobs: Jobs,
    private readonly store: SagaStore,
    private readonly calls: CheckoutCalls,
    @Inject(CHECKOUT_TIMING) private readonly timing: CheckoutTiming,
  ) {}

  onModuleInit(): void {
    this.jobs.work<CheckoutJob>(CHECKOUT_QUEUE, ({ orderId }, { signal }) =>
      this.proceed(orderId, signal),
    );
  }

  private async proceed(orderId: string, signal: AbortSignal): Promise<void> {
    const row = await this.store.read(orderId);
    if (!row?.dueAt || row.dueAt.getTime() > Date.now() + EARLY_MS) return;
    try {
      await this.run(await this.store.order(row), row, signal);
    } catch (error) {
      if (!(error instanceof SupersededError)) throw error;
    }
  }

  private async run(order: CheckoutOrder, first: SagaRow, signal: AbortSignal): Promise<void> {
    let row = first;
    let state = triedAgain(first.state);
    let { halted } = first.state;
    for (;;) {
      const step = nextStep(state, Date.now());
      if (step === 'rest') return this.store.halt(row, state);
      if (step === 'finish') return this.store.finish(row, state);
      if (signal.aborted) return this.store.postpone(row, state, 0);
      row = await this.store.save(row, begun(state, step));
      const outcome = await this.make(step, order, row.state);
      state = after(row.state, step, outcome, Date.now());
      if (state.halted === null && state.tries > row.state.tries) {
        return this.wait(row, state, { step, outcome, halted });
      }
      if (state.tries === 0) halted = null;
    }
  }

  private async make(call: Call, order: CheckoutOrder, state: SagaState): Promise<Outcome> {
    try {
      const outcome = await this.calls.make(call, order, state);
      if ('reason' in outcome && outcome.reason) {
        this.logger.log(`Order ${order.id}: ${call}: ${outcome.reason}`);
      }
      return outcome;
    } catch (error) {
      this.logger.error(`Order ${order.id}: ${call} cannot be done: ${String(rootCause(error))}`);
      return { kind: 'unanswered', reason: 'a fault in orders itself' };
    }
  }

  /**
   * What has been tried for too long is for a human to look at. It is tried again all the same, now and
   * then: most of what is silent comes back. @param halted why it had stopped before
   */
  private wait(
    row: SagaRow,
    state: SagaState,
    { step, outcome, halted }: { step: Call; outcome: Outcome; halted: string | null },
  ): Promise<void> {
    const { patienceMs, retryMs } = this.timing;
    if (Date.now() - state.since < patienceMs) {
      return this.store.postpone(row, state, pause(state, outcome));
    }
    const why = outcome.kind === 'unanswered' ? outcome.reason : 'the outcome is still open';
    const stopped = halt(state, halted ?? `${WORDS[step]} took too long: ${why}`);
    return this.store.halt(row, stopped, retryMs);
  }
}

/** Longer each time, and different for each saga, so that they do not all come back at once. */
function pause({ tries, money }: SagaState, outcome: Outcome): number {
  const isUnanswered = outcome.kind === 'unanswered';
  const isWithBank = money === 'repaying' && !isUnanswered;
  const most = isWithBank ? LONGEST_PAUSE_FOR_BANK_MS : LONGEST_PAUSE_MS;
  const longest = Math.min(most, FIRST_PAUSE_MS * 2 ** tries);
  const least = isUnanswered ? (outcome.retryAfterMs ?? 0) : 0;
  return Math.max(least, longest / 2 + Math.random() * (longest / 2));
}
