import { Inject, Injectable, Logger } from '@nestjs/common';
import { InjectDatabase } from '@signet/database';
import type { Database, Transaction } from '@signet/database';
import { eq } from 'drizzle-orm';
import { PAYMENT_PROVIDER, ProviderRefusal } from '../provider/payment-provider.js';
import type {
  PaymentProvider,
  ProviderCall,
  ProviderPayment,
  ProviderRefund,
  RefundCall,
} from '../provider/payment-provider.js';
import { attempts, payments, refunds } from '../schema.js';
import type { AttemptRow, PaymentRow } from '../schema.js';
import { PaymentLedger } from './payment-ledger.js';

/** Asks the provider what was noted down, always outside a transaction. */
@Injectable()
export class AttemptRunner {
  private readonly logger = new Logger(AttemptRunner.name);

  constructor(
    @InjectDatabase() private readonly database: Database,
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider,
    private readonly ledger: PaymentLedger,
  ) {}

  /** Asks, and writes down the answer. Without a clear answer the attempt stays open. */
  async send(attempt: AttemptRow): Promise<void> {
    const payment = await this.paymentOf(attempt);
    try {
      if (attempt.kind === 'refund') {
        const call = refundCall(attempt, payment);
        await this.tellRefund(attempt, await this.provider.refund(call));
      } else {
        await this.tell(attempt, await this.step(attempt, payment));
      }
    } catch (error) {
      if (error instanceof ProviderRefusal) return this.refused(attempt, payment, error.code);
      this.logger.warn(`The outcome of ${attempt.kind} ${attempt.id} is unknown: ${said(error)}`);
    }
  }

  /**
   * Finds out what became of an attempt that is still open: asks by its key, and sends it again when
   * the provider has never heard of it. Under the same key that cannot happen twice.
   */
  async reconcile(attempt: AttemptRow): Promise<void> {
    const payment = await this.paymentOf(attempt);
    const waiting =
      attempt.kind === 'refund'
        ? await this.lookUpRefund(attempt, payment)
        : await this.lookUp(attempt, payment);
    if (waiting || !(await isOpen(this.database, attempt))) return;
    if (Date.now() - attempt.createdAt.getTime() >= this.provider.remembersKeysFor) {
      this.logger.error(`${attempt.kind} ${attempt.id} is too old to be sent again: look at it.`);
      return;
    }
    await this.send(attempt);
  }

  /** @returns whether the provider itself does not know yet */
  private async lookUp(attempt: AttemptRow, payment: PaymentRow): Promise<boolean> {
    const known = payment.providerPayment ?? undefined;
    const found = await this.provider.findPayment(callOf(attempt), known);
    if (found) await this.tell(attempt, found);
    return found?.status === 'processing';
  }

  private async lookUpRefund(attempt: AttemptRow, payment: PaymentRow): Promise<boolean> {
    const found = await this.provider.findRefund(refundCall(attempt, payment));
    if (found) await this.tellRefund(attempt, found);
    return found?.status === 'pending';
  }

  /** The provider said no: to what was asked, or because it had been done already. */
  private async refused(attempt: AttemptRow, payment: PaymentRow, code: string): Promise<void> {
    if (attempt.kind === 'refund') {
      const found = await this.provider.findRefund(refundCall(attempt, payment));
      await this.tellRefund(attempt, found ?? { id: '', status: 'failed', reason: code });
      return;
    }
    await this.lookUp(attempt, payment);
    await this.database.transaction(async (transaction) => {
      const locked = await this.ledger.lock(transaction, attempt.paymentId);
      if (await isOpen(transaction, attempt)) await this.ledger.refuse(transaction, locked, code);
    });
  }

  private step(attempt: AttemptRow, payment: PaymentRow): Promise<ProviderPayment> {
    const { amount } = attempt;
    if (attempt.kind === 'authorize') {
      const { currency, paymentMethod: method } = payment;
      return this.provider.authorize({ ...callOf(attempt), amount, currency, method });
    }
    const call = { ...callOf(attempt), payment: providerPaymentOf(payment) };
    if (attempt.kind === 'void') return this.provider.void(call);
    return this.provider.capture({ ...call, amount });
  }

  private tell({ paymentId }: AttemptRow, news: ProviderPayment): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      const payment = await this.ledger.lock(transaction, paymentId);
      return this.ledger.learn(transaction, payment, news);
    });
  }

  private tellRefund({ paymentId, refundId }: AttemptRow, news: ProviderRefund): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      await this.ledger.lock(transaction, paymentId);
      const [refund] = await transaction
        .select()
        .from(refunds)
        .where(eq(refunds.id, refundId ?? ''));
      return refund ? this.ledger.learnRefund(transaction, refund, news) : false;
    });
  }

  private async paymentOf({ paymentId }: AttemptRow): Promise<PaymentRow> {
    const [row] = await this.database.select().from(payments).where(eq(payments.id, paymentId));
    if (!row) throw new Error(`Payment ${paymentId} is gone.`);
    return row;
  }
}

async function isOpen(database: Database | Transaction, { id }: AttemptRow): Promise<boolean> {
  const [row] = await database
    .select({ status: attempts.status })
    .from(attempts)
    .where(eq(attempts.id, id));
  return row?.status === 'open';
}

function callOf({ id, createdAt, paymentId }: AttemptRow): ProviderCall {
  return { key: id, madeAt: createdAt, paymentId };
}

function refundCall(attempt: AttemptRow, payment: PaymentRow): RefundCall {
  const { amount, refundId } = attempt;
  if (refundId === null) throw new Error(`Attempt ${attempt.id} refunds nothing.`);
  return { ...callOf(attempt), payment: providerPaymentOf(payment), amount, refundId };
}

function providerPaymentOf({ id, providerPayment }: PaymentRow): string {
  if (providerPayment === null) throw new Error(`The provider does not know payment ${id}.`);
  return providerPayment;
}

/** Without the cause, which may repeat what was sent. */
function said(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
