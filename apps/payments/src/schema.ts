import { sql } from 'drizzle-orm';
import { bigint, check, index, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { PaymentStatus } from './payments/payment.schema.js';

export { idempotencyKeys } from '@signet/database/schema';

export const payments = pgTable(
  'payments',
  {
    /** UUIDv7: newest last, so the key is also the order of every list. */
    id: uuid().primaryKey(),
    /** An order is paid once. */
    orderId: uuid().notNull().unique(),
    customerId: text().notNull(),
    /** Minor units of `currency`. */
    amount: bigint({ mode: 'number' }).notNull(),
    currency: text().notNull(),
    /** The provider's token of the customer's means of payment; never a card number. */
    paymentMethod: text().notNull(),
    status: text().$type<PaymentStatus>().notNull(),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    index('payments_customer').on(table.customerId, table.id.desc()),
    check('payments_amount', sql`${table.amount} > 0`),
  ],
);
