import { Injectable, Logger } from '@nestjs/common';
import { AuditLog, THE_SERVICE } from '@signet/database';
import type { Transaction } from '@signet/database';
import { notFound } from '@signet/http';
import { and, eq, ne, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { AuditAction } from '../audit-actions.js';
import { nextState, PAYMENT_TRANSITIONS, REFUND_TRANSITIONS } from '../payments/payment-states.js';
import type { PaymentEvent } from '../payments/payment-states.js';
import { ContradictoryNews } from '../provider/payment-provider.js';
import type { ProviderPayment, ProviderRefund } from '../provider/payment-provider.js';
import { attempts, payments, refunds } from '../schema.js';
import type { AttemptRow, PaymentRow, RefundRow } from '../schema.js';

/** Which news is a yes to what was asked. */
const ANSWER = { authorize: 'authorized', capture: 'captured', void: 'canceled' } as const;

/** Writes what happens to payments. Every method expects the payment's row to be locked. */
@Injectable()
export class PaymentLedger {
  private readonly logger = new Logger(PaymentLedger.name);

  constructor(private readonly audit: AuditLog<AuditAction>) {}

  /**
   * Locks a payment's row until the transaction ends: money moves one step at a time.
   *
   * @throws {Problem} 404
   */
  async lock(transaction: Transaction, id: string): Promise<PaymentRow> {
    const [row] = await transaction
      .select()
      .from(payments)
      .where(eq(payments.id, id))
      .for('update');
    if (!row) throw notFound('payment');
    return row;
  }

  /** Notes that the provider will be asked, before it is. The attempt's id is the key it is asked with. */
  async ask(
    transaction: Transaction,
    payment: PaymentRow,
    kind: keyof typeof ANSWER,
    amount: number,
  ): Promise<AttemptRow> {
    await this.move(transaction, payment, kind);
    return this.attempt(transaction, { paymentId: payment.id, kind, amount });
  }

  async askRefund(
    transaction: Transaction,
    payment: PaymentRow,
    asked: { id: string; amount: number; reason: string },
  ): Promise<AttemptRow> {
    const { id: refundId, paymentId, amount } = await this.noteRefund(transaction, payment, asked);
    return this.attempt(transaction, { paymentId, refundId, kind: 'refund', amount });
  }

  /** Notes a refund that is under way. It has to fit into what was captured. */
  async noteRefund(
    transaction: Transaction,
    { id: paymentId }: PaymentRow,
    refund: { id?: string; amount: number; reason: string; providerRefund?: string },
  ): Promise<RefundRow> {
    const [row] = await transaction
      .insert(refunds)
      .values({ id: uuidv7(), ...refund, paymentId, status: 'pending' })
      .returning();
    if (!row) throw new Error('A refund was not written.');
    await transaction
      .update(payments)
      .set({ refundingAmount: sql`${payments.refundingAmount} + ${refund.amount}` })
      .where(eq(payments.id, paymentId));
    return row;
  }

  /** @returns whether the event had a place; when not, nothing changes */
  async move(
    transaction: Transaction,
    payment: PaymentRow,
    event: PaymentEvent,
    changes: Partial<PaymentRow> = {},
  ): Promise<boolean> {
    const status = nextState(PAYMENT_TRANSITIONS, payment.status, event);
    if (status === undefined) return false;
    await transaction
      .update(payments)
      .set({ ...changes, status })
      .where(eq(payments.id, payment.id));
    return true;
  }

  /**
   * Takes what the provider says about a payment.
   *
   * @returns whether it was news
   * @throws {ContradictoryNews} when more was captured than there is
   */
  async learn(
    transaction: Transaction,
    payment: PaymentRow,
    {
      id,
      status,
      capturedAmount,
      reason = null,
    }: Omit<ProviderPayment, 'reason'> & {
      reason?: string | null | undefined;
    },
  ): Promise<boolean> {
    const known = payment.providerPayment;
    if (known !== null && known !== id) return false;
    if (capturedAmount > payment.amount) {
      throw new ContradictoryNews(
        `${capturedAmount} of payment ${payment.id} were captured, which is of ${payment.amount}`,
      );
    }
    const providerPayment = id || null;
    if (status === 'processing') {
      if (known === providerPayment) return false;
      await transaction
        .update(payments)
        .set({ providerPayment })
        .where(eq(payments.id, payment.id));
      return true;
    }
    const moved = await this.move(transaction, payment, status, {
      ...{ providerPayment, reason },
      ...(status === 'captured' && { capturedAmount }),
    });
    if (moved) await this.settleStep(transaction, payment.id, status, reason);
    return moved;
  }

  /** What was asked will not happen, and nothing has changed at the provider. */
  async refuse(transaction: Transaction, payment: PaymentRow, reason: string): Promise<boolean> {
    const moved = await this.move(transaction, payment, 'refused', { reason });
    if (moved) await this.settleStep(transaction, payment.id, 'refused', reason);
    return moved;
  }

  /** Takes what the provider says about a refund. @returns whether it was news */
  async learnRefund(
    transaction: Transaction,
    refund: RefundRow,
    {
      id,
      status,
      reason: failure = null,
    }: Omit<ProviderRefund, 'reason'> & {
      reason?: string | null | undefined;
    },
  ): Promise<boolean> {
    const providerRefund = id || refund.providerRefund;
    if (status === 'pending') {
      if (refund.providerRefund === providerRefund) return false;
      await transaction.update(refunds).set({ providerRefund }).where(eq(refunds.id, refund.id));
      return true;
    }
    const next = nextState(REFUND_TRANSITIONS, refund.status, status);
    if (next === undefined) return false;
    await transaction
      .update(refunds)
      .set({ status: next, providerRefund, failure })
      .where(eq(refunds.id, refund.id));
    await transaction
      .update(payments)
      .set({ ...amountsAfter(refund, next), refundsChangedAt: sql`clock_timestamp()` })
      .where(eq(payments.id, refund.paymentId));
    await transaction
      .update(attempts)
      .set({ status, reason: failure, settledAt: sql`now()` })
      .where(eq(attempts.refundId, refund.id));
    if (next === 'failed') await this.reportFailure(transaction, refund, failure);
    return true;
  }

  /** A customer waits for money that is not coming: that must not pass unnoticed. */
  private async reportFailure(
    transaction: Transaction,
    { id, paymentId, amount }: RefundRow,
    failure: string | null,
  ): Promise<void> {
    this.logger.error(`Refund ${id} of payment ${paymentId} has failed: ${failure ?? 'no reason'}`);
    await this.audit.record(transaction, {
      ...{ action: 'refund.failed', actor: THE_SERVICE, subject: paymentId },
      details: { refund: id, amount, failure },
    });
  }

  private async attempt(
    transaction: Transaction,
    asked: Pick<typeof attempts.$inferInsert, 'paymentId' | 'refundId' | 'kind' | 'amount'>,
  ): Promise<AttemptRow> {
    const [row] = await transaction
      .insert(attempts)
      .values({ id: uuidv7(), ...asked })
      .returning();
    if (!row) throw new Error('An attempt was not written.');
    return row;
  }

  /** Closes the attempt that was open, if there was one. */
  private async settleStep(
    transaction: Transaction,
    paymentId: string,
    news: string,
    reason: string | null,
  ): Promise<void> {
    const open = and(
      eq(attempts.paymentId, paymentId),
      eq(attempts.status, 'open'),
      ne(attempts.kind, 'refund'),
    );
    const wanted = sql`case ${attempts.kind} when 'authorize' then ${ANSWER.authorize}
      when 'capture' then ${ANSWER.capture} else ${ANSWER.void} end`;
    await transaction
      .update(attempts)
      .set({
        status: sql`case when ${wanted} = ${news} then 'succeeded' else 'failed' end`,
        reason,
        settledAt: sql`now()`,
      })
      .where(open);
  }
}

/** Where a refund's amount counts from now on. */
function amountsAfter({ amount, status }: RefundRow, next: RefundRow['status']) {
  const without = {
    pending: { refundingAmount: sql`${payments.refundingAmount} - ${amount}` },
    succeeded: { refundedAmount: sql`${payments.refundedAmount} - ${amount}` },
    failed: {},
  }[status];
  if (next !== 'succeeded') return without;
  return { ...without, refundedAmount: sql`${payments.refundedAmount} + ${amount}` };
}
