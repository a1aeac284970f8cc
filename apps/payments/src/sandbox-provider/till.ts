import { createHash } from 'node:crypto';
import * as books from './books.js';
import { Refusal } from './books.js';
import type { Books, NewPayment, Step } from './books.js';
import type { Chaos, Dice } from './chaos.js';
import type { Journal } from './journal.js';
import type { AnsweredCall, Change, SandboxEvent, SandboxPayment } from './records.js';

/** A call with its idempotency key. */
export interface Call {
  key: string;
  /** Path and body. */
  asked: unknown;
}

export interface Answer {
  status: number;
  body: unknown;
  /** Whether the key had been answered before. */
  replayed: boolean;
}

export interface TillOptions {
  books: Books;
  journal: Journal;
  chaos: () => Chaos;
  dice: Dice;
  onEvent: (event: SandboxEvent) => void;
}

/** Takes calls, one at a time: each is written down, with its answer, before anybody is told. */
export class Till {
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(private readonly options: TillOptions) {}

  /** Goes on where a process that ended has stopped. */
  resume(): void {
    const { payments, refunds, undelivered } = this.options.books;
    for (const payment of payments.values()) this.settleLater(payment.id, payment.settlesAt);
    for (const refund of refunds.values()) this.settleLater(refund.id, refund.settlesAt);
    for (const event of undelivered.values()) this.options.onEvent(event);
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  authorize(call: Call, asked: NewPayment): Answer {
    const { chaos, dice } = this.options;
    const declined = dice.hits(chaos().declines);
    return this.once(call, () => books.authorize(asked, declined, Date.now() + chaos().reviewMs));
  }

  capture(call: Call, id: string, amount: number | undefined): Answer {
    return this.once(call, () => this.withPayment(id, (found) => books.capture(found, amount)));
  }

  cancel(call: Call, id: string): Answer {
    return this.once(call, () => this.withPayment(id, books.cancel));
  }

  refund(call: Call, id: string, asked: { reference: string; amount: number }): Answer {
    const { chaos, dice } = this.options;
    const fails = dice.hits(chaos().failRefunds);
    const later = dice.hits(chaos().pendingRefunds);
    const settlesAt = later ? Date.now() + chaos().reviewMs : undefined;
    return this.once(call, () =>
      this.withPayment(id, (found) => {
        const begun = books.refund(found, asked, settlesAt);
        if (begun instanceof Refusal || later) return begun;
        return books.settleRefund(begun.payment, begun.refund, fails);
      }),
    );
  }

  /** Keeps a change and tells of it. */
  commit(change: Change): void {
    this.options.journal.append(change);
    this.options.books.apply(change);
    if (change.event) this.options.onEvent(change.event);
    this.settleLater(change.payment?.id, change.payment?.settlesAt);
    this.settleLater(change.refund?.id, change.refund?.settlesAt);
  }

  /** The first call under a key takes effect; later ones get its answer. */
  private once({ key, asked }: Call, take: () => Step | Refusal): Answer {
    const fingerprint = createHash('sha256').update(JSON.stringify(asked)).digest('base64url');
    const known = this.options.books.calls.get(key);
    if (known && known.fingerprint !== fingerprint) {
      return {
        ...refused('idempotency_error', 'The key came with another call.', 400),
        replayed: true,
      };
    }
    if (known) return { status: known.status, body: known.body, replayed: true };
    const step = take();
    const answer = answerOf(step);
    const call: AnsweredCall = { key, fingerprint, ...answer };
    if (step instanceof Refusal) {
      this.commit({ call });
      return { ...answer, replayed: false };
    }
    if (step.refund) call.refund = step.refund.id;
    else if (step.payment) call.payment = step.payment.id;
    this.commit({ ...step, call });
    return { ...answer, replayed: false };
  }

  private withPayment<Result>(
    id: string,
    take: (payment: SandboxPayment) => Result | Refusal,
  ): Result | Refusal {
    const payment = this.options.books.payments.get(id);
    return payment ? take(payment) : new Refusal(404, 'not_found', 'There is no such payment.');
  }

  private settleLater(id: string | undefined, settlesAt: number | undefined): void {
    if (id === undefined || settlesAt === undefined) return;
    const timer = setTimeout(
      () => {
        this.timers.delete(timer);
        this.settle(id);
      },
      Math.max(0, settlesAt - Date.now()),
    );
    this.timers.add(timer);
  }

  private settle(id: string): void {
    const { payments, refunds } = this.options.books;
    const payment = payments.get(id);
    if (payment?.settlesAt !== undefined) this.commit(books.settle(payment));
    const refund = refunds.get(id);
    const refunded = refund && payments.get(refund.payment);
    if (refund?.settlesAt !== undefined && refunded) {
      const { chaos, dice } = this.options;
      this.commit(books.settleRefund(refunded, refund, dice.hits(chaos().failRefunds)));
    }
  }
}

function answerOf(step: Step | Refusal): { status: number; body: unknown } {
  if (step instanceof Refusal) return refused(step.code, step.message, step.status);
  if (step.refund) return { status: 201, body: step.refund };
  const { payment } = step;
  if (payment?.status !== 'declined') return { status: 200, body: payment };
  const { body } = refused(payment.reason ?? 'card_declined', 'The payment was declined.', 402);
  return { status: 402, body: { ...body, payment } };
}

export function refused(code: string, message: string, status: number) {
  return { status, body: { error: { code, message } } };
}
