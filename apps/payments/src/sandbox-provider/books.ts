import { randomUUID } from 'node:crypto';
import type {
  AnsweredCall,
  Change,
  LedgerEntry,
  SandboxEvent,
  SandboxPayment,
  SandboxRefund,
} from './records.js';

/** Everything the provider knows. Only `apply` changes it, so that a replay ends in the same state. */
export class Books {
  readonly payments = new Map<string, SandboxPayment>();
  readonly refunds = new Map<string, SandboxRefund>();
  readonly calls = new Map<string, AnsweredCall>();
  readonly entries: LedgerEntry[] = [];
  readonly undelivered = new Map<string, SandboxEvent>();

  apply({ payment, refund, call, entry, event, delivered }: Change): void {
    if (payment) this.payments.set(payment.id, payment);
    if (refund) this.refunds.set(refund.id, refund);
    if (call) this.calls.set(call.key, call);
    if (entry) this.entries.push(entry);
    if (event) this.undelivered.set(event.id, event);
    if (delivered !== undefined) this.undelivered.delete(delivered);
  }
}

/** A step that is refused. Nothing changes, and the refusal is this key's answer. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly message: string,
  ) {}
}

export type Step = Pick<Change, 'payment' | 'refund' | 'entry' | 'event'>;

export interface NewPayment {
  reference: string;
  amount: number;
  currency: string;
  method: string;
}

const METHODS = new Set([
  'tok_ok',
  'tok_declined',
  'tok_timeout',
  'tok_slow',
  'tok_requires_review',
]);

/** Holds the amount, or declines it. `settlesAt` is when a review would end. */
export function authorize(asked: NewPayment, declined: boolean, settlesAt: number): Step {
  const payment: SandboxPayment = {
    ...{ id: `sp_${randomUUID()}`, ...asked },
    ...{ status: 'processing', capturedAmount: 0, refundedAmount: 0 },
  };
  if (!METHODS.has(asked.method)) return decline(payment, 'invalid_payment_method');
  if (declined || asked.method === 'tok_declined') return decline(payment, 'card_declined');
  if (asked.method === 'tok_requires_review') return { payment: { ...payment, settlesAt } };
  return settle(payment);
}

/** Ends a review: the amount is held. */
export function settle({ settlesAt: _, ...payment }: SandboxPayment): Step {
  return step({ ...payment, status: 'authorized' }, 'authorized', payment.amount);
}

/** Takes what was held, or a part of it; the rest is let go. */
export function capture(payment: SandboxPayment, amount = payment.amount): Step | Refusal {
  if (payment.status !== 'authorized') return wrongStatus(payment, 'captured');
  if (amount > payment.amount) {
    return new Refusal(422, 'amount_too_large', 'More than was authorized.');
  }
  return step({ ...payment, status: 'captured', capturedAmount: amount }, 'captured', amount);
}

/** Lets go of what was held. */
export function cancel({ settlesAt: _, ...payment }: SandboxPayment): Step | Refusal {
  if (payment.status !== 'authorized' && payment.status !== 'processing') {
    return wrongStatus(payment, 'canceled');
  }
  return step({ ...payment, status: 'canceled' }, 'canceled', payment.amount);
}

export function refund(
  payment: SandboxPayment,
  { reference, amount }: { reference: string; amount: number },
  settlesAt: number | undefined,
): { refund: SandboxRefund; payment: SandboxPayment } | Refusal {
  if (payment.status !== 'captured') return wrongStatus(payment, 'refunded');
  if (amount > payment.capturedAmount - payment.refundedAmount) {
    return new Refusal(422, 'amount_too_large', 'More than was captured and is not refunded yet.');
  }
  return {
    payment: { ...payment, refundedAmount: payment.refundedAmount + amount },
    refund: {
      ...{ id: `sr_${randomUUID()}`, payment: payment.id, reference, amount },
      ...{ currency: payment.currency, status: 'pending' },
      ...(settlesAt !== undefined && { settlesAt }),
    },
  };
}

/** Ends a refund that was under way; what could not be paid back is there to be refunded again. */
export function settleRefund(
  payment: SandboxPayment,
  { settlesAt: _, ...pending }: SandboxRefund,
  fails: boolean,
): Step {
  const { amount } = pending;
  const refunded: SandboxRefund = fails
    ? { ...pending, status: 'failed', reason: 'expired_or_canceled_card' }
    : { ...pending, status: 'succeeded' };
  const after = fails ? { ...payment, refundedAmount: payment.refundedAmount - amount } : payment;
  return {
    ...step(after, fails ? 'refund_failed' : 'refunded', amount),
    refund: refunded,
    event: { ...eventOf(fails ? 'refund.failed' : 'refund.succeeded', after), refund: refunded },
  };
}

function decline(payment: SandboxPayment, reason: string): Step {
  return step({ ...payment, status: 'declined', reason }, 'declined', payment.amount);
}

function step(payment: SandboxPayment, kind: LedgerEntry['kind'], amount: number): Step {
  const { id, reference, currency } = payment;
  return {
    payment,
    entry: { at: new Date().toISOString(), kind, payment: id, reference, amount, currency },
    event: eventOf(`payment.${payment.status}`, payment),
  };
}

function eventOf(type: string, payment: SandboxPayment): SandboxEvent {
  return { id: `evt_${randomUUID()}`, type, createdAt: new Date().toISOString(), payment };
}

function wrongStatus({ status }: SandboxPayment, wanted: string): Refusal {
  return new Refusal(409, 'wrong_status', `A payment that is ${status} cannot be ${wanted}.`);
}
