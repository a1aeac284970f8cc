import { Injectable } from '@nestjs/common';
import { InjectDatabase, Jobs, THE_SERVICE } from '@signet/database';
import type { Actor, Database, Transaction } from '@signet/database';
import type { RepresentedUser } from '@signet/http';
import { and, asc, eq, lt } from 'drizzle-orm';
import { OrderChanges } from '../orders/order-changes.js';
import type { OrderRow } from '../orders/order-changes.js';
import { orderLines, orders, sagas } from '../schema.js';
import type { CheckoutOrder } from './checkout-order.js';
import type { Goal, SagaState } from './saga-state.js';

export type SagaRow = typeof sagas.$inferSelect;

export const CHECKOUT_QUEUE = 'checkout';

export interface CheckoutJob {
  orderId: string;
}

/** Another worker, or a person, has changed the saga meanwhile: what we know of it is old. */
export class SupersededError extends Error {
  override readonly name = 'SupersededError';
}

/** Keeps sagas, and has somebody go on with them. Nothing is stored over what somebody else stored. */
@Injectable()
export class SagaStore {
  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly jobs: Jobs,
    private readonly changes: OrderChanges,
  ) {}

  /** In the transaction that makes the order: one is not without the other. */
  async begin(
    transaction: Transaction,
    orderId: string,
    state: SagaState,
    actor: RepresentedUser,
  ): Promise<void> {
    await transaction.insert(sagas).values({ orderId, state, actor, dueAt: new Date() });
    await this.call(transaction, orderId, 1);
  }

  async read(orderId: string): Promise<SagaRow | undefined> {
    const [row] = await this.database.select().from(sagas).where(eq(sagas.orderId, orderId));
    return row;
  }

  async order({ orderId, actor }: SagaRow): Promise<CheckoutOrder> {
    const [order] = await this.database.select().from(orders).where(eq(orders.id, orderId));
    if (!order) throw new Error(`There is no order ${orderId}.`);
    const items = await this.database
      .select({ sku: orderLines.sku, quantity: orderLines.quantity })
      .from(orderLines)
      .where(eq(orderLines.orderId, orderId))
      .orderBy(asc(orderLines.line));
    const { id, customerId, totalAmount, currency, paymentMethod } = order;
    return {
      id,
      customerId,
      items,
      total: { amount: totalAmount, currency },
      paymentMethod,
      actor,
    };
  }

  /**
   * Stores what is known now, by whoever goes on at once.
   *
   * @throws {SupersededError}
   */
  save(row: SagaRow, state: SagaState): Promise<SagaRow> {
    return this.write(this.database, row, { state, dueAt: new Date() });
  }

  /** @throws {SupersededError} */
  async postpone(row: SagaRow, state: SagaState, milliseconds: number): Promise<void> {
    const dueAt = new Date(Date.now() + milliseconds);
    await this.database.transaction(async (transaction) => {
      const { version } = await this.write(transaction, row, { state, dueAt });
      await this.call(transaction, row.orderId, version, dueAt);
    });
  }

  /**
   * The goal is reached: so the order says, in the same transaction.
   *
   * @throws {SupersededError}
   */
  finish(row: SagaRow, state: SagaState): Promise<void> {
    const { goal, reason } = state;
    return this.close(row, { state: { ...state, done: true }, dueAt: null }, goal, reason);
  }

  /**
   * Only a human can go on, or, where `retryMs` says so, somebody after so long.
   *
   * @throws {SupersededError}
   */
  halt(row: SagaRow, state: SagaState, retryMs?: number): Promise<void> {
    const dueAt = retryMs === undefined ? null : new Date(Date.now() + retryMs);
    return this.close(row, { state, dueAt }, 'needs_attention', state.halted);
  }

  /** For a person's change, made in a transaction that has locked the order. */
  async lock(transaction: Transaction, orderId: string): Promise<SagaRow | undefined> {
    const [row] = await transaction
      .select()
      .from(sagas)
      .where(eq(sagas.orderId, orderId))
      .for('update');
    return row;
  }

  /** Has the saga go on from `state` once the transaction commits, on behalf of `actor`. */
  async redirect(
    transaction: Transaction,
    row: SagaRow,
    state: SagaState,
    actor?: RepresentedUser,
  ): Promise<void> {
    const change = { state, dueAt: new Date(), ...(actor && { actor }) };
    const { version } = await this.write(transaction, row, change);
    await this.call(transaction, row.orderId, version);
  }

  /** Stops a saga that had ended, since what it had done did not last: a human must look at the order. */
  async reopen(
    transaction: Transaction,
    row: SagaRow,
    order: OrderRow,
    state: SagaState,
  ): Promise<void> {
    await this.rest(transaction, row, state);
    await this.changes.apply(transaction, order, {
      ...{ status: 'needs_attention', reason: state.halted, actor: THE_SERVICE },
      action: 'order.needs_attention',
    });
  }

  /** Stores that there is nothing to do any more, and asks nobody. */
  async rest(transaction: Transaction, row: SagaRow, state: SagaState): Promise<void> {
    await this.write(transaction, row, { state, dueAt: null });
  }

  /** Calls somebody to sagas that were due long ago. A saga whose job waits still is not called twice. */
  async recall(before: Date, limit: number): Promise<number> {
    const rows = await this.database
      .select({ orderId: sagas.orderId, version: sagas.version })
      .from(sagas)
      .where(lt(sagas.dueAt, before))
      .orderBy(asc(sagas.dueAt))
      .limit(limit);
    await this.database.transaction(async (transaction) => {
      for (const { orderId, version } of rows) await this.call(transaction, orderId, version);
    });
    return rows.length;
  }

  private close(
    row: SagaRow,
    change: { state: SagaState; dueAt: Date | null },
    status: Goal | 'needs_attention',
    reason: string | null,
  ): Promise<void> {
    return this.database.transaction(async (transaction) => {
      const order = await this.changes.lock(transaction, row.orderId);
      if (!order) throw new Error(`There is no order ${row.orderId}.`);
      const { orderId, version, dueAt } = await this.write(transaction, row, change);
      if (dueAt) await this.call(transaction, orderId, version, dueAt);
      if (order.status === status && order.reason === reason) {
        return this.changes.touch(transaction, order);
      }
      const actor: Actor = { ...THE_SERVICE, onBehalfOf: row.actor };
      const action = `order.${status}` as const;
      await this.changes.apply(transaction, order, { status, reason, actor, action });
    });
  }

  private async write(
    database: Database | Transaction,
    { orderId, version }: SagaRow,
    change: { state: SagaState; dueAt: Date | null; actor?: RepresentedUser },
  ): Promise<SagaRow> {
    const [written] = await database
      .update(sagas)
      .set({ ...change, version: version + 1 })
      .where(and(eq(sagas.orderId, orderId), eq(sagas.version, version)))
      .returning();
    if (!written) throw new SupersededError(`The saga of ${orderId} has gone on without us.`);
    return written;
  }

  private async call(
    transaction: Transaction,
    orderId: string,
    version: number,
    startAfter?: Date,
  ): Promise<void> {
    const job: CheckoutJob = { orderId };
    await this.jobs.send(transaction, CHECKOUT_QUEUE, job, {
      key: `${orderId}:${version}`,
      ...(startAfter && { startAfter }),
    });
  }
}
