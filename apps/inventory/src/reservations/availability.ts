import type { Transaction } from '@signet/database';
import { and, eq, inArray } from 'drizzle-orm';
import { products, stockLevels } from '../schema.js';
import { unknownSkus } from './reservation-problems.js';
import type { Shortage } from './reservation-problems.js';
import type { ReservationItem } from './reservation.schema.js';

/** @throws {Problem} 422 `unknown_sku` unless each is a product that is sold */
export async function assertSold(
  transaction: Transaction,
  items: readonly ReservationItem[],
): Promise<void> {
  const skus = items.map(({ sku }) => sku);
  const sold = await transaction
    .select({ sku: products.sku })
    .from(products)
    .where(and(inArray(products.sku, skus), eq(products.active, true)));
  const unknown = skus.filter((sku) => !sold.some((product) => product.sku === sku));
  if (unknown.length > 0) throw unknownSkus(unknown);
}

/** What is free of each, where less is free than was asked. The rows are locked already. */
export async function shortagesOf(
  transaction: Transaction,
  items: readonly ReservationItem[],
): Promise<Shortage[]> {
  const skus = items.map(({ sku }) => sku);
  const levels = await transaction.select().from(stockLevels).where(inArray(stockLevels.sku, skus));
  return items.map(({ sku, quantity }) => {
    const level = levels.find((row) => row.sku === sku);
    const available = level ? level.onHand - level.reserved : 0;
    return { sku, requested: quantity, available };
  });
}
