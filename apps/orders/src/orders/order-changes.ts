import { Injectable } from '@nestjs/common';
import { AuditLog } from '@signet/database';
import type { Actor, Transaction } from '@signet/database';
import { and, eq, sql } from 'drizzle-orm';
import { orders } from '../schema.js';
import type { OrderAction } from './order-audit.js';
import { invalid } from './order-refusals.js';
import { canBecome } from './order-states.js';
import type { OrderStatus } from './order-states.js';

export type OrderRow = typeof orders.$inferSelect;

/** Where it is told that an order has changed; the payload is its id. */
export const ORDERS_CHANNEL = 'orders';

export interface OrderChange {
  status: OrderStatus;
  reason: string | null;
  actor: Actor;
  action: OrderAction;
}

/** The only way an order changes: with its version, its audit entry, and word to who is watching. */
@Injectable()
export class OrderChanges {
  constructor(private readonly audit: AuditLog<OrderAction>) {}

  /** The order's row, which nobody else changes before the transaction ends. */
  async lock(
    transaction: Transaction,
    id: string,
    customerId?: string,
  ): Promise<OrderRow | undefined> {
    const [row] = await transaction
      .select()
      .from(orders)
      .where(
        and(
          eq(orders.id, id),
          customerId === undefined ? undefined : eq(orders.customerId, customerId),
        ),
      )
      .for('update');
    return row;
  }

  /** What is shown of the order has changed, though not the order: a new version for whoever reads it. */
  async touch(transaction: Transaction, { id }: OrderRow): Promise<void> {
    await transaction
      .update(orders)
      .set({ version: sql`${orders.version} + 1` })
      .where(eq(orders.id, id));
    await this.announce(transaction, id);
  }

  /** @throws {Problem} 409 `invalid_transition`, unless only the reason changes */
  async apply(
    transaction: Transaction,
    row: OrderRow,
    { status, reason, actor, action }: OrderChange,
  ): Promise<void> {
    if (status !== row.status && !canBecome(row.status, status)) throw invalid(row.status, status);
    await transaction
      .update(orders)
      .set({ status, reason, version: sql`${orders.version} + 1` })
      .where(eq(orders.id, row.id));
    await this.audit.record(transaction, {
      ...{ action, actor, subject: row.id },
      details: {
        before: { status: row.status, reason: row.reason },
        after: { status, reason },
      },
    });
    await this.announce(transaction, row.id);
  }

  private async announce(transaction: Transaction, id: string): Promise<void> {
    await transaction.execute(sql`select pg_notify(${ORDERS_CHANNEL}, ${id})`);
  }
}
