import { HttpStatus, Injectable } from '@nestjs/common';
import { InjectDatabase } from '@signet/database';
import type { Database, Transaction } from '@signet/database';
import { decodeCursor, notFound, Problem, toPage } from '@signet/http';
import type { Page } from '@signet/http';
import { and, desc, eq, lt } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { payments } from '../schema.js';
import type { NewPayment, Payment, PaymentQuery } from './payment.schema.js';

@Injectable()
export class PaymentsService {
  constructor(@InjectDatabase() private readonly database: Database) {}

  /** @throws {Problem} 409 `order_has_payment` */
  async record(transaction: Transaction, { amount, ...rest }: NewPayment): Promise<Payment> {
    const [row] = await transaction
      .insert(payments)
      .values({ id: uuidv7(), ...rest, ...amount, status: 'requires_confirmation' })
      .onConflictDoNothing({ target: payments.orderId })
      .returning();
    if (row) return toPayment(row);
    throw new Problem({
      status: HttpStatus.CONFLICT,
      code: 'order_has_payment',
      detail: `Order ${rest.orderId} has a payment already.`,
    });
  }

  /** @throws {Problem} 404 */
  async read(id: string): Promise<Payment> {
    const [row] = await this.database.select().from(payments).where(eq(payments.id, id));
    if (!row) throw notFound('payment');
    return toPayment(row);
  }

  /** Newest first. */
  async list({ limit, cursor, orderId, customerId }: PaymentQuery): Promise<Page<Payment>> {
    const before = decodeCursor(cursor, z.tuple([z.uuid()]));
    const rows = await this.database
      .select()
      .from(payments)
      .where(
        and(
          orderId === undefined ? undefined : eq(payments.orderId, orderId),
          customerId === undefined ? undefined : eq(payments.customerId, customerId),
          before && lt(payments.id, before[0]),
        ),
      )
      .orderBy(desc(payments.id))
      .limit(limit + 1);
    return toPage(rows.map(toPayment), limit, (row) => [row.id]);
  }
}

function toPayment({ amount, currency, createdAt, ...row }: typeof payments.$inferSelect): Payment {
  return { ...row, amount: { amount, currency }, createdAt: createdAt.toISOString() };
}
