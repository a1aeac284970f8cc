import { money, pageOf } from '@signet/http';
import type { Page, RepresentedUser } from '@signet/http';
import { z } from 'zod';
import { RefusedError } from '../service-calls/call-errors.js';
import type { ServiceClient } from '../service-calls/service-client.js';
import type { CheckoutOrder } from './checkout-order.js';
import type { Outcome, PaymentNews } from './saga-outcomes.js';

const refund = z.object({
  amount: money,
  status: z.enum(['pending', 'succeeded', 'failed']),
  failure: z.string().optional(),
  createdAt: z.iso.datetime(),
});

const payment = z.object({
  id: z.uuid(),
  orderId: z.uuid(),
  status: z.enum([
    'requires_confirmation',
    'processing',
    'requires_capture',
    'succeeded',
    'canceled',
    'failed',
  ]),
  capturedAmount: money,
  refundedAmount: money,
  reason: z.string().optional(),
  refunds: z.array(refund).default([]),
});

const refundChanges = pageOf(payment.extend({ refundsChangedAt: z.iso.datetime() }));

/** A payment of which a refund has succeeded or failed. */
export interface RefundChange {
  orderId: string;
  /** By the clock of payments; ISO 8601. */
  at: string;
  news: PaymentNews;
}

/** What is asked of a payment that is there already. */
interface Asked {
  order: CheckoutOrder;
  paymentId: string;
  /** The saga's round: part of the key. */
  round: number;
}

/** What the saga asks of payments (scope `payments:charge`). */
export class PaymentsClient {
  constructor(private readonly service: ServiceClient) {}

  authorize(order: CheckoutOrder, round: number): Promise<Outcome> {
    const { id: orderId, customerId, total: amount, paymentMethod, actor } = order;
    return this.news(
      this.service.call({
        method: 'POST',
        path: 'internal/payments',
        idempotencyKey: `${orderId}:authorize:${round}`,
        onBehalfOf: actor,
        body: { orderId, customerId, amount, paymentMethod },
        answer: payment,
      }),
    );
  }

  look({ id, actor }: CheckoutOrder): Promise<Outcome> {
    return this.news(this.read(id, actor));
  }

  async newsOf(orderId: string, onBehalfOf: RepresentedUser): Promise<PaymentNews> {
    return toNews(await this.read(orderId, onBehalfOf));
  }

  capture(asked: Asked): Promise<Outcome> {
    return this.news(this.change('capture', asked));
  }

  void(asked: Asked): Promise<Outcome> {
    return this.news(this.change('void', asked));
  }

  async refund({ order, paymentId, round }: Asked, reason: string): Promise<Outcome> {
    try {
      const { status, failure } = await this.service.call({
        method: 'POST',
        path: `internal/payments/${paymentId}/refunds`,
        idempotencyKey: `${order.id}:refund:${round}`,
        onBehalfOf: order.actor,
        body: { reason },
        answer: refund,
      });
      return { kind: 'refund', status, reason: failure };
    } catch (error) {
      return refusal(error);
    }
  }

  /** Whether everything that was captured has been paid back, or is on its way back. Says so soon, or throws. */
  async isPaidBack(paymentId: string, onBehalfOf: RepresentedUser): Promise<boolean> {
    const { capturedAmount, refunds } = await this.service.call({
      method: 'GET',
      path: `internal/payments/${paymentId}`,
      onBehalfOf,
      isHurried: true,
      answer: payment,
    });
    const back = refunds
      .filter(({ status }) => status !== 'failed')
      .reduce((sum, { amount }) => sum + amount.amount, 0);
    return capturedAmount.amount > 0 && back >= capturedAmount.amount;
  }

  /** What has become of refunds since then, whoever asked for them; the latest last. */
  async refundChanges(since: Date, cursor: string | null): Promise<Page<RefundChange>> {
    const query = new URLSearchParams({ since: since.toISOString(), limit: '100' });
    if (cursor !== null) query.set('cursor', cursor);
    const { items, nextCursor } = await this.service.call({
      method: 'GET',
      path: `internal/payments/refund-changes?${query.toString()}`,
      answer: refundChanges,
    });
    return {
      items: items.map((told) => ({
        orderId: told.orderId,
        at: told.refundsChangedAt,
        news: toNews(told),
      })),
      nextCursor,
    };
  }

  private read(orderId: string, onBehalfOf: RepresentedUser) {
    const path = `internal/payments?orderId=${orderId}`;
    return this.service.call({ method: 'GET', path, onBehalfOf, answer: payment });
  }

  private change(action: 'capture' | 'void', { order, paymentId, round }: Asked) {
    return this.service.call({
      method: 'POST',
      path: `internal/payments/${paymentId}/${action}`,
      idempotencyKey: `${order.id}:${action}:${round}`,
      onBehalfOf: order.actor,
      answer: payment,
    });
  }

  private async news(answer: Promise<z.infer<typeof payment>>): Promise<Outcome> {
    try {
      return { kind: 'payment', payment: toNews(await answer) };
    } catch (error) {
      return refusal(error);
    }
  }
}

function toNews(told: z.infer<typeof payment>): PaymentNews {
  const { id, status, capturedAmount: captured, refundedAmount: refunded, reason } = told;
  const failed = told.refunds.filter((each) => each.status === 'failed');
  const [newest] = failed.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  return {
    ...{ id, status, reason },
    isRefunded: captured.amount > 0 && refunded.amount >= captured.amount,
    isRefunding: told.refunds.some((each) => each.status === 'pending'),
    refundFailure: newest?.failure,
  };
}

/** The payment is not where we thought it was: what it says of itself decides. */
const ELSEWHERE = new Set([
  'payment_captured',
  'payment_processing',
  'payment_not_authorized',
  'refund_exceeds_captured',
]);

function refusal(error: unknown): Outcome {
  if (!(error instanceof RefusedError)) throw error;
  if (ELSEWHERE.has(error.code)) return { kind: 'payment_elsewhere' };
  if (error.code === 'validation_failed' || error.code === 'unknown_payment_method') {
    return { kind: 'payment_refused', reason: 'the means of payment is not accepted' };
  }
  return { kind: 'refused', reason: `${error.code} ${error.message}` };
}
