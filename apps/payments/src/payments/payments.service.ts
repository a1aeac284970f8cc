import { Injectable } from '@nestjs/common';
import { InjectDatabase } from '@signet/database';
import type { Database } from '@signet/database';
import { decodeCursor, notFound, toPage } from '@signet/http';
import type { Page } from '@signet/http';
import { and, asc, desc, eq, gte, inArray, lt, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { z } from 'zod';
import { payments, refunds } from '../schema.js';
import type { PaymentRow, RefundRow } from '../schema.js';
import type {
  AdminPaymentQuery,
  ChangedRefunds,
  Payment,
  PaymentWithRefunds,
  Refund,
  RefundChangesQuery,
} from './payment.schema.js';
import { changePosition } from './payment.schema.js';
import { statesOf, statusOf } from './payment-states.js';

/** Payments as others may see them. */
@Injectable()
export class PaymentsService {
  constructor(@InjectDatabase() private readonly database: Database) {}

  /** @throws {Problem} 404 */
  read(id: string): Promise<PaymentWithRefunds> {
    return this.find(eq(payments.id, id));
  }

  /** @throws {Problem} 404 */
  ofOrder(orderId: string): Promise<PaymentWithRefunds> {
    return this.find(eq(payments.orderId, orderId));
  }

  /** @throws {Problem} 404 */
  async readRefund(id: string): Promise<Refund> {
    const [row] = await this.database
      .select({ refund: refunds, currency: payments.currency })
      .from(refunds)
      .innerJoin(payments, eq(payments.id, refunds.paymentId))
      .where(eq(refunds.id, id));
    if (!row) throw notFound('refund');
    return toRefund(row.refund, row.currency);
  }

  /** Newest first. */
  async list({ limit, cursor, ...wanted }: AdminPaymentQuery): Promise<Page<Payment>> {
    const before = decodeCursor(cursor, z.tuple([z.uuid()]));
    const { orderId, customerId, status } = wanted;
    const rows = await this.database
      .select()
      .from(payments)
      .where(
        and(
          orderId === undefined ? undefined : eq(payments.orderId, orderId),
          customerId === undefined ? undefined : eq(payments.customerId, customerId),
          status && inArray(payments.status, [...statesOf(status)]),
          before && lt(payments.id, before[0]),
        ),
      )
      .orderBy(desc(payments.id))
      .limit(limit + 1);
    return toPage(rows.map(toPayment), limit, (row) => [row.id]);
  }

  /** Payments of which a refund has succeeded or failed; those that changed last come last. */
  async refundChanges({ limit, cursor, since }: RefundChangesQuery): Promise<Page<ChangedRefunds>> {
    const after = decodeCursor(cursor, changePosition);
    const { refundsChangedAt: at, id } = payments;
    const rows = await this.database
      .select()
      .from(payments)
      .where(
        and(
          gte(at, new Date(since)),
          after && sql`(${at}, ${id}) > (${after[0]}::timestamptz, ${after[1]}::uuid)`,
        ),
      )
      .orderBy(asc(at), asc(id))
      .limit(limit + 1);
    const found = await this.refundsOf(rows);
    return toPage(found, limit, (row) => [row.refundsChangedAt, row.id]);
  }

  private async refundsOf(rows: PaymentRow[]): Promise<ChangedRefunds[]> {
    const ids = rows.map(({ id }) => id);
    const all = await this.database
      .select()
      .from(refunds)
      .where(inArray(refunds.paymentId, ids))
      .orderBy(asc(refunds.createdAt), asc(refunds.id));
    const byPayment = Map.groupBy(all, ({ paymentId }) => paymentId);
    return rows.map((row) => ({
      ...toPayment(row),
      refunds: (byPayment.get(row.id) ?? []).map((refund) => toRefund(refund, row.currency)),
      refundsChangedAt: row.refundsChangedAt?.toISOString() ?? '',
    }));
  }

  private async find(wanted: SQL): Promise<PaymentWithRefunds> {
    // One statement, so that the payment and its refunds are of one moment.
    const rows = await this.database
      .select()
      .from(payments)
      .leftJoin(refunds, eq(refunds.paymentId, payments.id))
      .where(wanted)
      .orderBy(asc(refunds.createdAt), asc(refunds.id));
    const [first] = rows;
    if (!first) throw notFound('payment');
    const { currency } = first.payments;
    return {
      ...toPayment(first.payments),
      refunds: rows.flatMap((row) => (row.refunds ? [toRefund(row.refunds, currency)] : [])),
    };
  }
}

function toPayment({ currency, reason, ...row }: PaymentRow): Payment {
  return {
    ...{ id: row.id, orderId: row.orderId, customerId: row.customerId },
    amount: { amount: row.amount, currency },
    status: statusOf(row.status),
    capturedAmount: { amount: row.capturedAmount, currency },
    refundedAmount: { amount: row.refundedAmount, currency },
    ...(reason !== null && { reason }),
    createdAt: row.createdAt.toISOString(),
  };
}

function toRefund({ id, paymentId, failure, ...row }: RefundRow, currency: string): Refund {
  return {
    ...{ id, paymentId, status: row.status },
    amount: { amount: row.amount, currency },
    reason: row.reason,
    ...(failure !== null && { failure }),
    createdAt: row.createdAt.toISOString(),
  };
}
