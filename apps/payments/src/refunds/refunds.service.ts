import { HttpStatus, Inject, Injectable } from '@nestjs/common';
import { AuditLog, idempotencyKeyReused } from '@signet/database';
import type { Actor, IdempotentAnswer, IdempotentRequest, Transaction } from '@signet/database';
import { Problem } from '@signet/http';
import { eq } from 'drizzle-orm';
import { v5 as uuidv5 } from 'uuid';
import { AttemptRunner } from '../attempts/attempt-runner.js';
import { OutwardEffects } from '../attempts/outward-effect.js';
import { PaymentLedger } from '../attempts/payment-ledger.js';
import type { AuditAction } from '../audit-actions.js';
import { assertCurrency } from '../payments/charging.service.js';
import type { NewRefund } from '../payments/payment.schema.js';
import { PaymentsService } from '../payments/payments.service.js';
import { PAYMENT_PROVIDER } from '../provider/payment-provider.js';
import type { PaymentProvider } from '../provider/payment-provider.js';
import { refunds } from '../schema.js';
import type { AttemptRow, PaymentRow, RefundRow } from '../schema.js';

/** Of the ids that are made of idempotency keys (RFC 9562 section 5.5). */
const NAMESPACE = '5f0f1f7c-6a53-4d0b-9c2b-2f5f0f6d6c11';

/** Gives customers their money back. */
@Injectable()
export class RefundsService {
  constructor(
    private readonly payments: PaymentsService,
    private readonly ledger: PaymentLedger,
    private readonly runner: AttemptRunner,
    private readonly effects: OutwardEffects,
    private readonly audit: AuditLog<AuditAction>,
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider,
  ) {}

  /**
   * Refunds a payment or a part of it. Pending refunds count as refunded until they have failed.
   *
   * @throws {Problem} 404; 422 `refund_exceeds_captured`, or `idempotency_key_reused` when the key made
   *   another refund, however long ago
   */
  async refund(
    request: IdempotentRequest,
    paymentId: string,
    asked: NewRefund,
    actor: Actor,
  ): Promise<IdempotentAnswer> {
    const id = uuidv5(JSON.stringify([request.scope, request.key]), NAMESPACE);
    let wasThere = false;
    const answer = await this.effects.run(request, this.provider.longestCall / 1000, {
      begin: async (transaction) => {
        const payment = await this.ledger.lock(transaction, paymentId);
        // The key's record may be gone by now; the refund it made is not.
        const earlier = await find(transaction, id);
        if (earlier) {
          assertSame(earlier, payment, asked);
          wasThere = true;
          return undefined;
        }
        const amount = refundable(payment, asked);
        await this.audit.record(transaction, {
          ...{ action: 'refund.requested', actor, subject: paymentId },
          details: { refund: id, amount, currency: payment.currency, reason: asked.reason },
        });
        return this.ledger.askRefund(transaction, payment, { id, amount, reason: asked.reason });
      },
      perform: async (attempt: AttemptRow | undefined) => {
        if (attempt) await this.runner.send(attempt);
      },
      answer: () => this.payments.readRefund(id),
    });
    return { ...answer, replayed: answer.replayed || wasThere };
  }
}

async function find(transaction: Transaction, id: string): Promise<RefundRow | undefined> {
  const [refund] = await transaction.select().from(refunds).where(eq(refunds.id, id));
  return refund;
}

/** @throws {Problem} 422 when the refund is not the one that is asked for */
function assertSame(refund: RefundRow, payment: PaymentRow, { amount, reason }: NewRefund): void {
  // One of all that was left has left nothing, unless it failed.
  const same = amount
    ? amount.amount === refund.amount && amount.currency === payment.currency
    : leftOf(payment) === 0 || refund.status === 'failed';
  if (!same || reason !== refund.reason) throw idempotencyKeyReused();
}

/** @throws {Problem} 422 when that much is not there to be refunded */
function refundable(payment: PaymentRow, { amount: asked }: NewRefund): number {
  assertCurrency(payment, asked);
  const left = leftOf(payment);
  const amount = asked?.amount ?? left;
  if (amount > 0 && amount <= left) return amount;
  throw new Problem({
    status: HttpStatus.UNPROCESSABLE_ENTITY,
    code: 'refund_exceeds_captured',
    detail: `What was captured and is not refunded or being refunded is ${left} (${payment.currency}, minor units).`,
    extensions: { refundable: { amount: left, currency: payment.currency } },
  });
}

function leftOf({ capturedAmount, refundedAmount, refundingAmount }: PaymentRow): number {
  return capturedAmount - refundedAmount - refundingAmount;
}
