import { HttpStatus, Inject, Injectable } from '@nestjs/common';
import type { IdempotentAnswer, IdempotentRequest, Transaction } from '@signet/database';
import { Problem } from '@signet/http';
import type { Money } from '@signet/http';
import { eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { AttemptRunner } from '../attempts/attempt-runner.js';
import { OutwardEffects } from '../attempts/outward-effect.js';
import { PaymentLedger } from '../attempts/payment-ledger.js';
import { PAYMENT_PROVIDER } from '../provider/payment-provider.js';
import type { PaymentProvider } from '../provider/payment-provider.js';
import { payments } from '../schema.js';
import type { AttemptRow, PaymentRow } from '../schema.js';
import type { NewPayment } from './payment.schema.js';
import { statusOf } from './payment-states.js';
import { PaymentsService } from './payments.service.js';

/** What was begun: the provider is to be asked, unless there is no attempt. */
interface Begun {
  attempt: AttemptRow | undefined;
}

const NOTHING_TO_ASK: Begun = { attempt: undefined };

/** Holds, takes and lets go of customers' money. */
@Injectable()
export class ChargingService {
  constructor(
    private readonly payments: PaymentsService,
    private readonly ledger: PaymentLedger,
    private readonly runner: AttemptRunner,
    private readonly effects: OutwardEffects,
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider,
  ) {}

  /**
   * Authorizes the one payment of an order.
   *
   * @throws {Problem} 409 `payment_exists` when the order has another one
   */
  authorize(request: IdempotentRequest, asked: NewPayment): Promise<IdempotentAnswer> {
    return this.run(
      request,
      (transaction) => this.beginAuthorization(transaction, asked),
      () => this.payments.ofOrder(asked.orderId),
    );
  }

  /** @throws {Problem} 404; 409 when the payment cannot be captured; 422 `amount_exceeds_authorized` */
  capture(request: IdempotentRequest, id: string, amount?: Money): Promise<IdempotentAnswer> {
    return this.run(
      request,
      async (transaction) =>
        this.beginCapture(transaction, await this.ledger.lock(transaction, id), amount),
      () => this.payments.read(id),
    );
  }

  /** @throws {Problem} 404; 409 `payment_captured` or, while the outcome is open, `payment_processing` */
  void(request: IdempotentRequest, id: string): Promise<IdempotentAnswer> {
    return this.run(
      request,
      async (transaction) => this.beginVoid(transaction, await this.ledger.lock(transaction, id)),
      () => this.payments.read(id),
    );
  }

  private run(
    request: IdempotentRequest,
    begin: (transaction: Transaction) => Promise<Begun>,
    answer: () => Promise<unknown>,
  ): Promise<IdempotentAnswer> {
    return this.effects.run(request, this.provider.longestCall / 1000, {
      begin,
      perform: async ({ attempt }) => {
        if (attempt) await this.runner.send(attempt);
      },
      answer,
    });
  }

  private async beginAuthorization(transaction: Transaction, asked: NewPayment): Promise<Begun> {
    const { amount, ...rest } = asked;
    await transaction
      .insert(payments)
      .values({
        ...{ id: uuidv7(), ...rest, ...amount },
        ...{ status: 'requires_confirmation', provider: this.provider.name },
      })
      .onConflictDoNothing({ target: payments.orderId });
    const [payment] = await transaction
      .select()
      .from(payments)
      .where(eq(payments.orderId, asked.orderId))
      .for('update');
    if (!payment) throw new Error(`The payment of order ${asked.orderId} was not written.`);
    if (!isSame(payment, asked)) throw paymentExists(asked.orderId);
    if (payment.status !== 'requires_confirmation') return NOTHING_TO_ASK;
    return { attempt: await this.ledger.ask(transaction, payment, 'authorize', payment.amount) };
  }

  private async beginCapture(
    transaction: Transaction,
    payment: PaymentRow,
    asked: Money | undefined,
  ): Promise<Begun> {
    assertCurrency(payment, asked);
    const amount = asked?.amount ?? payment.amount;
    if (amount > payment.amount) throw exceedsAuthorized(payment);
    switch (payment.status) {
      case 'requires_capture':
        return { attempt: await this.ledger.ask(transaction, payment, 'capture', amount) };
      case 'capturing':
        return NOTHING_TO_ASK;
      case 'succeeded':
        if (asked === undefined || amount === payment.capturedAmount) return NOTHING_TO_ASK;
        throw captured(payment);
      case 'authorizing':
      case 'voiding':
        throw processing();
      default:
        throw wrongStatus(payment, 'payment_not_authorized', 'cannot be captured');
    }
  }

  private async beginVoid(transaction: Transaction, payment: PaymentRow): Promise<Begun> {
    switch (payment.status) {
      case 'requires_capture':
        return { attempt: await this.ledger.ask(transaction, payment, 'void', payment.amount) };
      case 'requires_confirmation':
      case 'failed':
        // Nothing is held, so there is nobody to ask.
        await this.ledger.move(transaction, payment, 'void');
        return NOTHING_TO_ASK;
      case 'voiding':
      case 'canceled':
        return NOTHING_TO_ASK;
      case 'succeeded':
        throw captured(payment);
      default:
        throw processing();
    }
  }
}

/** @throws {Problem} 422 `currency_mismatch` */
export function assertCurrency({ currency }: PaymentRow, asked: Money | undefined): void {
  if (asked === undefined || asked.currency === currency) return;
  throw new Problem({
    status: HttpStatus.UNPROCESSABLE_ENTITY,
    code: 'currency_mismatch',
    detail: `The payment is in ${currency}, not in ${asked.currency}.`,
  });
}

function isSame(payment: PaymentRow, { customerId, amount, paymentMethod }: NewPayment): boolean {
  return (
    payment.customerId === customerId &&
    payment.amount === amount.amount &&
    payment.currency === amount.currency &&
    payment.paymentMethod === paymentMethod
  );
}

function paymentExists(orderId: string): Problem {
  return new Problem({
    status: HttpStatus.CONFLICT,
    code: 'payment_exists',
    detail: `Order ${orderId} has another payment already.`,
  });
}

function exceedsAuthorized({ amount, currency }: PaymentRow): Problem {
  return new Problem({
    status: HttpStatus.UNPROCESSABLE_ENTITY,
    code: 'amount_exceeds_authorized',
    detail: `Only ${amount} (${currency}, minor units) were authorized.`,
  });
}

function captured(payment: PaymentRow): Problem {
  return wrongStatus(payment, 'payment_captured', 'has been captured already');
}

function wrongStatus({ status }: PaymentRow, code: string, what: string): Problem {
  return new Problem({
    status: HttpStatus.CONFLICT,
    code,
    detail: `The payment ${what}.`,
    extensions: { paymentStatus: statusOf(status) },
  });
}

function processing(): Problem {
  return new Problem({
    status: HttpStatus.CONFLICT,
    code: 'payment_processing',
    detail: 'What the provider was asked before has not been answered yet. Try again shortly.',
    retryAfter: 2,
    extensions: { paymentStatus: 'processing' },
  });
}
