import { randomUUID } from 'node:crypto';
import type { Answer, ReceivedCall } from './stand-in-services.js';

interface StandInPayment {
  id: string;
  orderId: string;
  amount: number;
  status: 'processing' | 'requires_capture' | 'succeeded' | 'canceled' | 'failed';
  captured: number;
  refunded: number;
  refunds: StandInRefund[];
  refundsChangedAt?: string;
  reason?: string;
}

interface StandInRefund {
  amount: number;
  status: 'pending' | 'succeeded' | 'failed';
  failure?: string;
  createdAt: string;
}

/** Payments' internal routes, with the provider's methods that matter to a checkout. */
export class StandInPayments {
  readonly byOrder = new Map<string, StandInPayment>();
  /** Whether refunds come to nothing. */
  refundsFail = false;
  /** Whether the provider takes its time with refunds; `decideRefunds` says what became of them. */
  refundsWait = false;
  private readonly answers = new Map<string, Answer>();

  answer({ method, path, headers, body }: ReceivedCall, id: string, action: string): Answer {
    if (id === 'refund-changes') return this.changes(path);
    if (method === 'GET') return show(200, this.byOrder.get(id) ?? this.find(id));
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

  /** An administrator refunds at payments, which orders is not told of. */
  refund(orderId: string, amount: number, status: StandInRefund['status'] = 'succeeded'): void {
    const payment = this.byOrder.get(orderId);
    payment?.refunds.push({ amount, status: 'pending', createdAt: new Date().toISOString() });
    if (payment && status !== 'pending') this.decide(payment, status);
  }

  /** What becomes of the refunds of an order that were open. */
  decideRefunds(orderId: string, status: 'succeeded' | 'failed'): void {
    const payment = this.byOrder.get(orderId);
    if (payment) this.decide(payment, status);
  }

  /** The customer's bank sends the money of all refunds back. */
  sendBack(orderId: string): void {
    const payment = this.byOrder.get(orderId);
    for (const refund of payment?.refunds ?? []) {
      Object.assign(refund, { status: 'failed', ...FAILURE });
    }
    Object.assign(payment ?? {}, { refunded: 0, refundsChangedAt: new Date().toISOString() });
  }

  private decide(payment: StandInPayment, status: 'succeeded' | 'failed'): void {
    for (const refund of payment.refunds.filter((each) => each.status === 'pending')) {
      Object.assign(refund, { status, ...(status === 'failed' && FAILURE) });
      if (status === 'succeeded') payment.refunded += refund.amount;
    }
    payment.refundsChangedAt = new Date().toISOString();
  }

  private changes(path: string): Answer {
    const since = new URL(path, 'http://payments').searchParams.get('since') ?? '';
    const items = [...this.byOrder.values()]
      .filter(({ refundsChangedAt = '' }) => refundsChangedAt >= since)
      .sort((a, b) => (a.refundsChangedAt ?? '').localeCompare(b.refundsChangedAt ?? ''))
      .map((payment) => show(200, payment).body);
    return { status: 200, body: { items, nextCursor: null } };
  }

  private find(id: string): StandInPayment | undefined {
    return [...this.byOrder.values()].find((each) => each.id === id);
  }

  private post(id: string, action: string, body: unknown): Answer {
    if (action === '') return this.authorize(body as { orderId: string; paymentMethod: string });
    const payment = this.find(id);
    if (!payment) return { status: 404, body: { code: 'not_found' } };
    if (action === 'capture') return this.capture(payment);
    if (action === 'void') return this.void(payment);
    return this.payBack(payment);
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
      ...{
        captured: 0,
        refunded: 0,
        refunds: [],
        ...(status === 'failed' && { reason: 'card_declined' }),
      },
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

  private payBack(payment: StandInPayment): Answer {
    const pending = payment.refunds.filter(({ status }) => status === 'pending');
    const amount = pending.reduce((left, each) => left - each.amount, payment.captured);
    if (amount <= payment.refunded) {
      return { status: 422, body: { code: 'refund_exceeds_captured' } };
    }
    const refund: StandInRefund = {
      ...{ amount: amount - payment.refunded, createdAt: new Date().toISOString() },
      ...(this.refundsFail ? { status: 'failed', ...FAILURE } : { status: 'succeeded' }),
    };
    payment.refunds.push(refund);
    if (this.refundsWait) refund.status = 'pending';
    else payment.refundsChangedAt = refund.createdAt;
    if (refund.status === 'succeeded') payment.refunded = amount;
    return { status: 201, body: shown(refund) };
  }
}

const FAILURE = { failure: 'account_closed' };

const STATUS_OF: Record<string, StandInPayment['status']> = {
  tok_declined: 'failed',
  tok_requires_review: 'processing',
};

function show(status: number, payment: StandInPayment | undefined): Answer {
  if (!payment) return { status: 404, body: { code: 'not_found' } };
  const { captured, refunded, amount, refunds, ...rest } = payment;
  return {
    status,
    body: {
      ...rest,
      amount: euros(amount),
      capturedAmount: euros(captured),
      refundedAmount: euros(refunded),
      refunds: refunds.map(shown),
    },
  };
}

function shown({ amount, ...rest }: StandInRefund) {
  return { ...rest, amount: euros(amount) };
}

function euros(minor: number) {
  return { amount: minor, currency: 'EUR' };
}

function refused(code: string): Answer {
  return { status: 409, body: { code, detail: 'not in this state' } };
}
