import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import { wordsOf } from './products/search-words.js';
import type { ReservationStatus } from './reservations/reservation-states.js';

export { auditEvents, idempotencyKeys } from '@signet/database/schema';

export type Attributes = Record<string, string | number | boolean>;

/** Of attributes, those that are text. */
const SEARCHED = sql`sku || ' ' || name || ' ' || coalesce(description, '') || ' ' || coalesce(jsonb_path_query_array(attributes, '$.* ? (@.type() == "string")')::text, '')`;

const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });

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
    /** Counts the changes of this row, for preconditions. */
    version: integer().notNull().default(1),
    /** The words that it is found by, of which a search names beginnings. */
    words: tsvector().generatedAlwaysAs(sql`array_to_tsvector(${wordsOf(SEARCHED)})`),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    check('products_price_amount', sql`${table.priceAmount} >= 0`),
    index('products_words').using('gin', table.words),
    index('products_attributes').using('gin', table.attributes.op('jsonb_path_ops')),
  ],
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

/** What an order holds of the stock, or held. Rows are never deleted: a closed one keeps its order out. */
export const reservations = pgTable(
  'reservations',
  {
    orderId: uuid().primaryKey(),
    status: text().$type<ReservationStatus>().notNull(),
    /** From when on it is void, if it is still only held then. */
    expiresAt: timestamp({ withTimezone: true }).notNull(),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    index('reservations_held_until')
      .on(table.expiresAt)
      .where(sql`${table.status} = 'held'`),
    check(
      'reservations_status',
      sql`${table.status} in ('held', 'committed', 'released', 'expired', 'returned')`,
    ),
  ],
);

export const reservationLines = pgTable(
  'reservation_lines',
  {
    orderId: uuid()
      .notNull()
      .references(() => reservations.orderId),
    sku: text()
      .notNull()
      .references(() => products.sku),
    quantity: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.orderId, table.sku] }),
    check('reservation_lines_quantity', sql`${table.quantity} > 0`),
  ],
);

/**
 * The ledger: the sums of a SKU's two deltas are what it has on hand and what is reserved. Rows are
 * only ever added.
 */
export const stockMovements = pgTable(
  'stock_movements',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    sku: text()
      .notNull()
      .references(() => products.sku),
    /** Change of what is on hand. */
    delta: integer().notNull(),
    /** Change of what is reserved. */
    reservedDelta: integer().notNull().default(0),
    /** What a person gave as the reason, or what happened to the order's reservation. */
    reason: text().notNull(),
    orderId: uuid().references(() => reservations.orderId),
    /** `sub` of whoever moved it, or the service's name. */
    actor: text().notNull(),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    index('stock_movements_sku').on(table.sku, table.id.desc()),
    check('stock_movements_moves', sql`${table.delta} <> 0 or ${table.reservedDelta} <> 0`),
  ],
);
