import type { Transaction } from '@signet/database';
import { and, eq, isNotNull, ne, sql } from 'drizzle-orm';
import { orders, sagas } from '../schema.js';
import { tooManyOpen } from './order-refusals.js';

/**
 * Of all the work that checkouts are, one customer may ask for a share: what is not over yet, giving
 * back included. Until the transaction ends, nobody else counts their orders.
 *
 * @throws {Problem} 429 `too_many_open_orders`
 */
export async function assertFewOpen(
  transaction: Transaction,
  customerId: string,
  most: number,
): Promise<void> {
  await transaction.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(${`orders of ${customerId}`}, 0))`,
  );
  const open = await transaction
    .select({ id: orders.id })
    .from(orders)
    .innerJoin(sagas, eq(sagas.orderId, orders.id))
    .where(
      and(
        eq(orders.customerId, customerId),
        isNotNull(sagas.dueAt),
        ne(orders.status, 'needs_attention'),
      ),
    )
    .limit(most);
  if (open.length >= most) throw tooManyOpen(most);
}
