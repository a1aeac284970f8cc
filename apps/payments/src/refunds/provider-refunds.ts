import { HttpStatus, Injectable, Logger } from '@nestjs/common';
import { AuditLog, THE_SERVICE } from '@signet/database';
import type { Transaction } from '@signet/database';
import { Problem } from '@signet/http';
import { PaymentLedger } from '../attempts/payment-ledger.js';
import type { AuditAction } from '../audit-actions.js';
import type { PaymentRow, RefundRow } from '../schema.js';

/** What refunds say that were not asked for here. */
const REASON = 'made at the payment provider';

/** Refunds that people make on the provider's own pages. */
@Injectable()
export class ProviderRefunds {
  private readonly logger = new Logger(ProviderRefunds.name);

  constructor(
    private readonly ledger: PaymentLedger,
    private readonly audit: AuditLog<AuditAction>,
  ) {}

  /**
   * Notes one as pending; what became of it is for whoever calls to learn.
   *
   * @param payment whose row is locked
   * @param providerRefund the provider's id of it
   * @param amount minor units
   * @returns undefined when no money goes back that had been captured
   * @throws {Problem} 409 `webhook_too_early` when that cannot be told yet
   */
  async note(
    transaction: Transaction,
    payment: PaymentRow,
    providerRefund: string,
    amount: number,
  ): Promise<RefundRow | undefined> {
    if (!this.isRefund(payment, providerRefund, amount)) return undefined;
    const refund = await this.ledger.noteRefund(transaction, payment, {
      ...{ amount, reason: REASON, providerRefund },
    });
    await this.audit.record(transaction, {
      ...{ action: 'refund.found', actor: THE_SERVICE, subject: payment.id },
      details: { refund: refund.id, amount, currency: payment.currency, providerRefund },
    });
    return refund;
  }

  private isRefund(payment: PaymentRow, providerRefund: string, amount: number): boolean {
    const { status, capturedAmount, refundedAmount, refundingAmount } = payment;
    // Stripe tells of an authorization that it lets go as of a refund.
    if (status === 'canceled' || status === 'failed') return false;
    if (status !== 'succeeded') throw tooEarly();
    const of = `refund ${providerRefund} of payment ${payment.id}`;
    if (capturedAmount < payment.amount) {
      this.logger.warn(`Is ${of} what was not captured? It was captured in part: look at it.`);
      return false;
    }
    if (amount <= capturedAmount - refundedAmount - refundingAmount) return true;
    // One that was asked for here, and that the provider is going to refuse.
    if (refundingAmount > 0) throw tooEarly();
    this.logger.error(`There is no money left for ${of}: look at it.`);
    return false;
  }
}

/** Rolls the event back as well: a provider repeats what is not taken. */
function tooEarly(): Problem {
  return new Problem({
    status: HttpStatus.CONFLICT,
    code: 'webhook_too_early',
    detail: 'What happened to the payment before that is not known here yet. Send it again later.',
    retryAfter: 60,
  });
}
