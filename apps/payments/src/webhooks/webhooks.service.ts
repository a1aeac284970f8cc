import { Inject, Injectable, Logger } from '@nestjs/common';
import { InjectDatabase, Retention } from '@signet/database';
import type { Database, Transaction } from '@signet/database';
import { and, eq, or } from 'drizzle-orm';
import { validate as isUuid } from 'uuid';
import { PaymentLedger } from '../attempts/payment-ledger.js';
import { ContradictoryNews, PAYMENT_PROVIDER } from '../provider/payment-provider.js';
import type {
  PaymentProvider,
  ProviderEvent,
  ProviderPayment,
  RefundNews,
} from '../provider/payment-provider.js';
import { ProviderRefunds } from '../refunds/provider-refunds.js';
import { payments, providerEvents, refunds } from '../schema.js';
import type { PaymentRow, RefundRow } from '../schema.js';

/** Far longer than any provider goes on sending an event; what is needed of it is in the payment. */
const EVENTS_KEPT_DAYS = 90;

/** Takes what webhooks say, each event once, whatever was known before. */
@Injectable()
export class WebhooksService {
  private readonly logger = new Logger(WebhooksService.name);
  private readonly retention: Retention;

  constructor(
    @InjectDatabase() private readonly database: Database,
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider,
    private readonly ledger: PaymentLedger,
    private readonly providerRefunds: ProviderRefunds,
  ) {
    this.retention = new Retention(database, providerEvents.receivedAt, EVENTS_KEPT_DAYS);
  }

  /** @throws {ContradictoryNews} */
  async take(event: ProviderEvent): Promise<void> {
    this.retention.sweepWhenDue();
    const { id, type } = event;
    const key = { provider: this.provider.name, id };
    await this.database.transaction(async (transaction) => {
      const first = await transaction
        .insert(providerEvents)
        .values({ ...key, type, outcome: 'unmatched' })
        .onConflictDoNothing()
        .returning({ id: providerEvents.id });
      if (first.length === 0) return;
      const payment = await this.lockPayment(transaction, event);
      if (!payment) {
        this.logger.warn(`Event ${id} (${type}) is about no payment of ours.`);
        return;
      }
      const news = await this.learn(transaction, payment, event);
      await transaction
        .update(providerEvents)
        .set({ paymentId: payment.id, outcome: news ? 'applied' : 'stale' })
        .where(and(eq(providerEvents.provider, key.provider), eq(providerEvents.id, id)));
    });
  }

  private async learn(
    transaction: Transaction,
    payment: PaymentRow,
    { news, refund: refundNews }: ProviderEvent,
  ): Promise<boolean> {
    if (news) {
      if (payment.providerPayment === null) await assertOfNoOther(transaction, payment, news);
      return this.ledger.learn(transaction, payment, news);
    }
    if (!refundNews) return false;
    const known = await this.findRefund(transaction, payment, refundNews);
    if (known) return this.ledger.learnRefund(transaction, known, refundNews);
    const { id, amount } = refundNews;
    const noted = await this.providerRefunds.note(transaction, payment, id, amount);
    if (noted) await this.ledger.learnRefund(transaction, noted, refundNews);
    return noted !== undefined;
  }

  /** By our id of it as well: the event may be faster than the answer that brings the provider's. */
  private async findRefund(
    transaction: Transaction,
    payment: PaymentRow,
    { id, refundId }: RefundNews,
  ): Promise<RefundRow | undefined> {
    const known = eq(refunds.providerRefund, id);
    const wanted = isUuid(refundId) ? or(eq(refunds.id, refundId ?? ''), known) : known;
    const [row] = await transaction
      .select()
      .from(refunds)
      .where(and(wanted, eq(refunds.paymentId, payment.id)));
    return row;
  }

  /** By our id of it: the event may be faster than the answer that brings the provider's id. */
  private async lockPayment(
    transaction: Transaction,
    { paymentId, payment: providerPayment }: ProviderEvent,
  ): Promise<PaymentRow | undefined> {
    const wanted = isUuid(paymentId)
      ? eq(payments.id, paymentId ?? '')
      : eq(payments.providerPayment, providerPayment ?? '');
    const [row] = await transaction
      .select()
      .from(payments)
      .where(and(wanted, eq(payments.provider, this.provider.name)))
      .for('update');
    return row;
  }
}

/** @throws {ContradictoryNews} when another payment is the one that the provider means */
async function assertOfNoOther(
  transaction: Transaction,
  { id, provider }: PaymentRow,
  { id: providerPayment }: ProviderPayment,
): Promise<void> {
  const [other] = await transaction
    .select({ id: payments.id })
    .from(payments)
    .where(and(eq(payments.provider, provider), eq(payments.providerPayment, providerPayment)));
  if (other) {
    throw new ContradictoryNews(`${providerPayment} is payment ${other.id}, and not ${id}`);
  }
}
