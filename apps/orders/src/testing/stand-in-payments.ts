import { randomUUID } from 'node:crypto';
import type { Answer, ReceivedCall } from './stand-in-services.js';

interface StandInPayment {
  id: string;
  orderId: string;
  amount: number;
  status: 'processing' | 'requires_capture' | 'succeeded' | 'canceled' | 'failed';
  captured: number;
  refunded: number;
  reason?: string;
}

/** Payments' internal routes, with the provider's methods that matter to a checkout. */
export class StandInPayments {
  readonly byOrder = new Map<string, StandInPayment>();
  /** Whether refunds come to nothing. */
  refundsFail = false;
  private readonly answers = new Map<string, Answer>();

  answer({ method, headers, body }: ReceivedCall, id: string, action: string): Answer {
    if (method === 'GET') return show(200, this.byOrder.get(id));
    const key = `${action} ${String(headers['idempotency-key'])}`;
    const answer = this.answers.get(key) ?? this.post(id, action, body);
    if (answer.status < 400) this.answers.set(key, answer);
    return answer;
  }

  /** The provider decides about what was under review. */
  settle(): void {
    for (const payment of this.byOrder.values()) {
      if (payment.status === 'processing') payment.status = 'requires_capture';
    }
  }

  private post(id: string, action: string, body: unknown): Answer {
    if (action === '') return this.authorize(body as { orderId: string; paymentMethod: string });
    const payment = [...this.byOrder.values()].find((each) => each.id === id);
    if (!payment) return { status: 404, body: { code: 'not_found' } };
    if (action === 'capture') return this.capture(payment);
    if (action === 'void') return this.void(payment);
    return this.refund(payment);
  }

  private authorize({
    orderId,
    paymentMethod,
    amount,
  }: {
    orderId: string;
    paymentMethod: string;
    amount?: { amount: number };
  }): Answer {
    const status = STATUS_OF[paymentMethod] ?? 'requires_capture';
    const payment = this.byOrder.get(orderId) ?? {
      ...{ id: randomUUID(), orderId, amount: amount?.amount ?? 0, status },
      ...{ captured: 0, refunded: 0, ...(status === 'failed' && { reason: 'card_declined' }) },
    };
    this.byOrder.set(orderId, payment);
    return show(201, payment);
  }

  private capture(payment: StandInPayment): Answer {
    if (payment.status !== 'requires_capture') return refused('payment_not_authorized');
    payment.status = 'succeeded';
    payment.captured += payment.amount;
    return show(200, payment);
  }

  private void(payment: StandInPayment): Answer {
    if (payment.status === 'succeeded') return refused('payment_captured');
    if (payment.status === 'processing') return refused('payment_processing');
    payment.status = 'canceled';
    return show(200, payment);
  }

  private refund(payment: StandInPayment): Answer {
    if (payment.captured <= payment.refunded) {
      return { status: 422, body: { code: 'refund_exceeds_captured' } };
    }
    const status = this.refundsFail ? 'failed' : 'succeeded';
    if (!this.refundsFail) payment.refunded = payment.captured;
    const createdAt = new Date().toISOString();
    return { status: 201, body: { status, createdAt, ...(this.refundsFail && FAILURE) } };
  }
}

const FAILURE = { failure: 'account_closed' };

const STATUS_OF: Record<string, StandInPayment['status']> = {
  tok_declined: 'failed',
  tok_requires_review: 'processing',
};

function show(status: number, payment: StandInPayment | undefined): Answer {
  if (!payment) return { status: 404, body: { code: 'not_found' } };
  const { captured, refunded, amount, ...rest } = payment;
  const money = (minor: number) => ({ amount: minor, currency: 'EUR' });
  return {
    status,
    body: {
      ...rest,
      amount: money(amount),
      capturedAmount: money(captured),
      refundedAmount: money(refunded),
      refunds: [],
    },
  };
}

function refused(code: string): Answer {
  return { status: 409, body: { code, detail: 'not in this state' } };
}
