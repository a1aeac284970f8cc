import type { RepresentedUser } from '@signet/http';
import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import type { SagaState } from './checkout/saga-state.js';
import type { OrderStatus } from './orders/order-states.js';

export { auditEvents, idempotencyKeys } from '@signet/database/schema';

export const orders = pgTable(
  'orders',
  {
    /** UUIDv7: newest last, so the key is also the order of every list. */
    id: uuid().primaryKey(),
    customerId: text().notNull(),
    status: text().$type<OrderStatus>().notNull(),
    /** Why the order stands where it stands, where that needs saying. */
    reason: text(),
    /** Minor units of `currency`; the sum of the lines. */
    totalAmount: bigint({ mode: 'number' }).notNull(),
    currency: text().notNull(),
    /** The provider's token of the customer's means of payment; never a card number. */
    paymentMethod: text().notNull(),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    /** One more with every change of the row; `versionOf` makes the entity tag of it. */
    version: integer().notNull().default(1),
  },
  (table) => [
    index('orders_customer').on(table.customerId, table.id.desc()),
    index('orders_status').on(table.status, table.id.desc()),
  ],
);

/** What the checkout of an order has done, and what is to be done next. */
export const sagas = pgTable(
  'sagas',
  {
    orderId: uuid()
      .primaryKey()
      .references(() => orders.id),
    /** Whoever stores a step has read the version before: of two workers one finds out here. */
    version: integer().notNull().default(1),
    state: jsonb().$type<SagaState>().notNull(),
    /** For whom the other services are asked: who ordered, or who interfered last. */
    actor: jsonb().$type<RepresentedUser>().notNull(),
    /** When the next step is due; null when there is none. */
    dueAt: timestamp({ withTimezone: true }),
  },
  (table) => [
    index('sagas_due')
      .on(table.dueAt)
      .where(sql`${table.dueAt} is not null`),
  ],
);

/** Up to where orders has heard what became of refunds. One row. */
export const refundWatch = pgTable(
  'refund_watch',
  {
    id: integer().primaryKey().default(1),
    /** By the clock of payments. */
    seenUntil: timestamp({ withTimezone: true, precision: 3 })
      .notNull()
      .default(sql`'epoch'`),
    /** When a replica last set out to ask. */
    askedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [check('refund_watch_one', sql`${table.id} = 1`)],
);

/** A snapshot: what the product was called and cost when it was ordered. */
export const orderLines = pgTable(
  'order_lines',
  {
    orderId: uuid()
      .notNull()
      .references(() => orders.id),
    line: integer().notNull(),
    sku: text().notNull(),
    name: text().notNull(),
    quantity: integer().notNull(),
    /** Minor units of the order's currency. */
    unitPrice: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.orderId, table.line] }),
    check('order_lines_quantity', sql`${table.quantity} > 0`),
    check('order_lines_unit_price', sql`${table.unitPrice} >= 0`),
  ],
);
