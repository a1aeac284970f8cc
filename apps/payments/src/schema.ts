import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { PaymentState, RefundState } from './payments/payment-states.js';

export { auditEvents, idempotencyKeys } from '@signet/database/schema';

const minorUnits = () => bigint({ mode: 'number' }).notNull();
const moment = () => timestamp({ withTimezone: true });

export const payments = pgTable(
  'payments',
  {
    /** UUIDv7: newest last, so the key is also the order of every list. */
    id: uuid().primaryKey(),
    /** An order is paid once. */
    orderId: uuid().notNull().unique(),
    customerId: text().notNull(),
    /** Minor units of `currency`. */
    amount: minorUnits(),
    currency: text().notNull(),
    /** The provider's token of the customer's means of payment; never a card number. */
    paymentMethod: text().notNull(),
    status: text().$type<PaymentState>().notNull(),
    /** Which provider was asked, and its own id of the payment once that is known. */
    provider: text().notNull().default('sandbox'),
    providerPayment: text(),
    capturedAmount: minorUnits().default(0),
    /** Of refunds that went through, and of those under way: together never more than captured. */
    refundedAmount: minorUnits().default(0),
    refundingAmount: minorUnits().default(0),
    /** The provider's code of a decline. */
    reason: text(),
    /** When a refund last succeeded or failed; to the millisecond, as cursors have it. */
    refundsChangedAt: timestamp({ withTimezone: true, precision: 3 }),
    createdAt: moment().notNull().defaultNow(),
  },
  (table) => [
    index('payments_customer').on(table.customerId, table.id.desc()),
    index('payments_refunds_changed')
      .on(table.refundsChangedAt, table.id)
      .where(sql`${table.refundsChangedAt} is not null`),
    uniqueIndex('payments_at_provider').on(table.provider, table.providerPayment),
    check('payments_amount', sql`${table.amount} > 0`),
    check('payments_captured', sql`${table.capturedAmount} between 0 and ${table.amount}`),
    check(
      'payments_refunded',
      sql`${table.refundedAmount} >= 0 and ${table.refundingAmount} >= 0
        and ${table.refundedAmount} + ${table.refundingAmount} <= ${table.capturedAmount}`,
    ),
  ],
);

export const refunds = pgTable(
  'refunds',
  {
    /** Of one that was asked for here, made of the Idempotency-Key: the same request is the same refund. */
    id: uuid().primaryKey(),
    paymentId: uuid()
      .notNull()
      .references(() => payments.id),
    /** Minor units of the payment's currency. */
    amount: minorUnits(),
    status: text().$type<RefundState>().notNull(),
    /** Why it was asked for. */
    reason: text().notNull(),
    /** The provider's code of a failure. */
    failure: text(),
    providerRefund: text(),
    createdAt: moment().notNull().defaultNow(),
  },
  (table) => [
    index('refunds_payment').on(table.paymentId, table.createdAt),
    check('refunds_amount', sql`${table.amount} > 0`),
  ],
);

/** What the provider was asked, written down before it is asked. */
export const attempts = pgTable(
  'attempts',
  {
    /** Also the provider's idempotency key: however often this is sent, it takes effect once. */
    id: uuid().primaryKey(),
    paymentId: uuid()
      .notNull()
      .references(() => payments.id),
    refundId: uuid().references(() => refunds.id),
    kind: text().$type<'authorize' | 'capture' | 'void' | 'refund'>().notNull(),
    /** Minor units of the payment's currency. */
    amount: minorUnits(),
    /** `open` until the outcome is known. */
    status: text().$type<'open' | 'succeeded' | 'failed'>().notNull().default('open'),
    /** The provider's code when it failed. */
    reason: text(),
    createdAt: moment().notNull().defaultNow(),
    settledAt: moment(),
    /** When the provider was last asked what became of it. */
    checkedAt: moment(),
    checks: integer().notNull().default(0),
  },
  (table) => [
    index('attempts_payment').on(table.paymentId),
    // One thing at a time, refunds aside: what an answer means must not be a question.
    uniqueIndex('attempts_open')
      .on(table.paymentId)
      .where(sql`${table.status} = 'open' and ${table.kind} <> 'refund'`),
    index('attempts_unsettled')
      .on(table.createdAt)
      .where(sql`${table.status} = 'open'`),
  ],
);

/** The webhooks that have been taken, so that one that comes twice is taken once. */
export const providerEvents = pgTable(
  'provider_events',
  {
    provider: text().notNull(),
    /** The provider's id of the event. */
    id: text().notNull(),
    type: text().notNull(),
    paymentId: uuid(),
    /** `applied`; `stale` when it said nothing new; `unmatched` when it is about nothing of ours. */
    outcome: text().$type<'applied' | 'stale' | 'unmatched'>().notNull(),
    receivedAt: moment().notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.provider, table.id] }),
    index('provider_events_received_at').on(table.receivedAt),
  ],
);

export type PaymentRow = typeof payments.$inferSelect;
export type RefundRow = typeof refunds.$inferSelect;
export type AttemptRow = typeof attempts.$inferSelect;
