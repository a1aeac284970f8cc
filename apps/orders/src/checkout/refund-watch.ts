import { Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { InjectDatabase } from '@signet/database';
import type { Database } from '@signet/database';
import { rootCause } from '@signet/http';
import { sql } from 'drizzle-orm';
import { OrderChanges } from '../orders/order-changes.js';
import { refundWatch } from '../schema.js';
import { CHECKOUT_TIMING } from './checkout-timing.js';
import type { CheckoutTiming } from './checkout-timing.js';
import { PaymentsClient } from './payments.client.js';
import type { RefundChange } from './payments.client.js';
import { afterRefundNews, awaitsRefunds } from './refund-news.js';
import { SagaStore } from './saga-store.js';
import type { SagaRow } from './saga-store.js';

/** Changes become visible out of order: what was seen is asked for again for as long as this. */
const OVERLAP_MS = 60_000;

/**
 * Hears of refunds that orders did not ask for, and of those that failed after they had succeeded. To
 * hear of one twice does no harm. Of all replicas one asks at a time.
 */
@Injectable()
export class RefundWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(RefundWatch.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly payments: PaymentsClient,
    private readonly sagas: SagaStore,
    private readonly changes: OrderChanges,
    @Inject(CHECKOUT_TIMING) private readonly timing: CheckoutTiming,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.ask(), this.timing.refundsEveryMs).unref();
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async ask(): Promise<void> {
    try {
      const seenUntil = await this.claim();
      if (seenUntil) await this.hear(seenUntil);
    } catch (error) {
      this.logger.warn(`What became of refunds cannot be heard: ${String(rootCause(error))}`);
    }
  }

  /** @returns up to where refunds are known; undefined when another replica has just asked */
  private async claim(): Promise<Date | undefined> {
    // A little less than the interval, so that its own last turn does not keep a replica from the next.
    const seconds = (this.timing.refundsEveryMs / 1000) * 0.9;
    const [claimed] = await this.database
      .insert(refundWatch)
      .values({})
      .onConflictDoUpdate({
        target: refundWatch.id,
        set: { askedAt: sql`now()` },
        setWhere: sql`${refundWatch.askedAt} < now() - make_interval(secs => ${seconds})`,
      })
      .returning();
    return claimed?.seenUntil;
  }

  private async hear(seenUntil: Date): Promise<void> {
    const since = new Date(Math.max(0, seenUntil.getTime() - OVERLAP_MS));
    let cursor: string | null = null;
    let isPast = false;
    do {
      const page = await this.payments.refundChanges(since, cursor);
      for (const change of page.items) {
        // What has to wait is asked for again, with all that came after it.
        isPast = !(await this.take(change)) || isPast;
        if (!isPast) await this.remember(change.at);
      }
      cursor = page.nextCursor;
    } while (cursor !== null);
  }

  /** @returns false when it has to be taken later */
  private async take({ orderId, news }: RefundChange): Promise<boolean> {
    try {
      const saga = await this.sagas.read(orderId);
      if (!saga) return true;
      if (isAtWork(saga)) return false;
      if (afterRefundNews(saga.state, news, Date.now()) === saga.state) return true;
      // Asked for after the saga was read: what is said of it is not older than the saga.
      const latest = await this.payments.newsOf(orderId, saga.actor);
      return await this.database.transaction(async (transaction) => {
        const order = await this.changes.lock(transaction, orderId);
        const locked = await this.sagas.lock(transaction, orderId);
        if (!order || locked?.version !== saga.version) return false;
        const state = afterRefundNews(saga.state, latest, Date.now());
        if (state === saga.state) return true;
        if (saga.state.done) {
          this.logger.warn(`Order ${orderId}: its payment was refunded, or not, behind its back.`);
        }
        if (state.halted === null) await this.sagas.redirect(transaction, saga, state);
        else await this.sagas.reopen(transaction, saga, order, state);
        return true;
      });
    } catch (error) {
      this.logger.error(
        `Order ${orderId}: its refunds cannot be taken: ${String(rootCause(error))}`,
      );
      return false;
    }
  }

  private async remember(at: string): Promise<void> {
    await this.database
      .update(refundWatch)
      .set({ seenUntil: sql`greatest(${refundWatch.seenUntil}, ${at}::timestamptz)` });
  }
}

/** Whether it goes on by itself and looks at its payment anyway, or a worker is just at it. */
function isAtWork({ state, dueAt }: SagaRow): boolean {
  if (dueAt === null) return false;
  return !awaitsRefunds(state) || dueAt.getTime() <= Date.now();
}
