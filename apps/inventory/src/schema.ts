import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';

export { idempotencyKeys } from '@signet/database/schema';

export type Attributes = Record<string, string | number | boolean>;

export const products = pgTable(
  'products',
  {
    sku: text().primaryKey(),
    name: text().notNull(),
    description: text(),
    /** Minor units of `currency`. */
    priceAmount: integer().notNull(),
    currency: text().notNull(),
    attributes: jsonb().$type<Attributes>(),
    active: boolean().notNull().default(true),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [check('products_price_amount', sql`${table.priceAmount} >= 0`)],
);

/** Apart from `products`, so that selling and editing a product do not wait for each other. */
export const stockLevels = pgTable(
  'stock_levels',
  {
    sku: text()
      .primaryKey()
      .references(() => products.sku),
    onHand: integer().notNull().default(0),
    reserved: integer().notNull().default(0),
  },
  (table) => [
    check('stock_levels_reserved', sql`${table.reserved} >= 0`),
    check('stock_levels_on_hand', sql`${table.onHand} >= ${table.reserved}`),
  ],
);

/** The ledger: the sum of a SKU's deltas is what it has on hand. Rows are only ever added. */
export const stockMovements = pgTable(
  'stock_movements',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    sku: text()
      .notNull()
      .references(() => products.sku),
    delta: integer().notNull(),
    reason: text().notNull(),
    /** `sub` of whoever moved it. */
    actor: text().notNull(),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [index('stock_movements_sku').on(table.sku, table.id.desc())],
);
