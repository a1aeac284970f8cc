import Stripe from 'stripe';
import { readSigned } from '../webhooks/read-event.js';
import { declined, ForgedWebhook, ProviderRefusal } from './payment-provider.js';
import type {
  Authorization,
  FollowUp,
  PartialFollowUp,
  PaymentProvider,
  ProviderCall,
  ProviderEvent,
  ProviderPayment,
  ProviderRefund,
  RefundCall,
  WebhookHeaders,
} from './payment-provider.js';
import {
  eventOf,
  PAYMENT_ID,
  paymentOf,
  REFUND_ID,
  refundOf,
  stripeEvent,
} from './stripe-objects.js';

export interface StripeOptions {
  apiKey: string;
  /** The newest first; all of them are believed. */
  webhookSecrets: readonly string[];
  /** How long one try of a call may take, in milliseconds. */
  deadline: number;
  /** Another address of the API. */
  url?: string | undefined;
}

const RETRIES = 2;
/** What the SDK waits between its tries, at most. */
const PAUSES_MS = 5_000;
/** Stripe may forget a key after 24 hours. */
const KEYS_KEPT_MS = 23 * 60 * 60 * 1000;
/** Currencies whose amounts Stripe counts in another unit than ISO 4217 does. */
const OTHER_UNITS = new Set(['ISK', 'UGX']);

/** Stripe: PaymentIntents with manual capture, through the official SDK. */
export class StripeProvider implements PaymentProvider {
  readonly name = 'stripe';
  readonly remembersKeysFor = KEYS_KEPT_MS;
  readonly longestCall: number;
  private readonly stripe: Stripe;

  constructor(private readonly options: StripeOptions) {
    this.longestCall = (RETRIES + 1) * options.deadline + PAUSES_MS;
    this.stripe = new Stripe(options.apiKey, {
      ...{ timeout: options.deadline, maxNetworkRetries: RETRIES, telemetry: false },
      ...addressOf(options.url),
    });
  }

  async authorize(call: Authorization): Promise<ProviderPayment> {
    const { key, paymentId, amount, currency, method } = call;
    if (OTHER_UNITS.has(currency)) return declined('currency_not_supported');
    try {
      const intent = await this.stripe.paymentIntents.create(
        {
          ...{ amount, currency: currency.toLowerCase(), payment_method: method },
          ...{ payment_method_types: ['card'], capture_method: 'manual', confirm: true },
          // Nobody is there who could answer the bank's questions.
          ...{ error_on_requires_action: true, metadata: { [PAYMENT_ID]: paymentId } },
        },
        { idempotencyKey: key },
      );
      return paymentOf(intent);
    } catch (error) {
      const code = refusalOf(error);
      if (code === undefined) throw error;
      const intent = (error as Stripe.errors.StripeError).payment_intent;
      return { ...declined(code), id: intent?.id ?? '' };
    }
  }

  capture({ key, payment, amount }: PartialFollowUp): Promise<ProviderPayment> {
    const { paymentIntents } = this.stripe;
    return orRefusal(async () =>
      paymentOf(
        await paymentIntents.capture(
          payment,
          { amount_to_capture: amount },
          { idempotencyKey: key },
        ),
      ),
    );
  }

  void({ key, payment }: FollowUp): Promise<ProviderPayment> {
    const { paymentIntents } = this.stripe;
    return orRefusal(async () =>
      paymentOf(await paymentIntents.cancel(payment, {}, { idempotencyKey: key })),
    );
  }

  refund({ key, payment, amount, refundId, paymentId }: RefundCall): Promise<ProviderRefund> {
    const metadata = { [REFUND_ID]: refundId, [PAYMENT_ID]: paymentId };
    return orRefusal(async () =>
      refundOf(
        await this.stripe.refunds.create(
          { payment_intent: payment, amount, metadata },
          { idempotencyKey: key },
        ),
      ),
    );
  }

  /** By metadata when the id is not known: Stripe's search may be a minute behind. */
  async findPayment({ paymentId }: ProviderCall, payment: string | undefined) {
    if (payment !== undefined) {
      return orNotFound(async () => paymentOf(await this.stripe.paymentIntents.retrieve(payment)));
    }
    const query = `metadata['${PAYMENT_ID}']:'${paymentId}'`;
    const { data } = await this.stripe.paymentIntents.search({ query, limit: 1 });
    return data[0] && paymentOf(data[0]);
  }

  async findRefund({ payment, refundId }: RefundCall): Promise<ProviderRefund | undefined> {
    const all = this.stripe.refunds.list({ payment_intent: payment, limit: 100 });
    for await (const refund of all) {
      if (refund.metadata?.[REFUND_ID] === refundId) return refundOf(refund);
    }
    return undefined;
  }

  readEvent(body: Buffer, headers: WebhookHeaders): ProviderEvent | undefined {
    const header = headers['stripe-signature'];
    const isSigned = this.options.webhookSecrets.some(
      (secret) => typeof header === 'string' && this.isSignedWith(secret, body, header),
    );
    if (!isSigned) throw new ForgedWebhook();
    return readSigned(body, stripeEvent, eventOf);
  }

  private isSignedWith(secret: string, body: Buffer, header: string): boolean {
    try {
      return this.stripe.webhooks.signature?.verifyHeader(body, header, secret) ?? false;
    } catch (error) {
      if (error instanceof Stripe.errors.StripeSignatureVerificationError) return false;
      throw error;
    }
  }
}

function addressOf(url: string | undefined): Stripe.StripeConfig {
  if (url === undefined) return {};
  const { protocol, hostname, port } = new URL(url);
  return {
    ...{ host: hostname, protocol: protocol === 'http:' ? 'http' : 'https' },
    ...(port && { port }),
  };
}

/** The code of an error that says for certain that nothing was done; undefined for all others. */
function refusalOf(error: unknown): string | undefined {
  if (error instanceof Stripe.errors.StripeCardError) {
    return error.decline_code || error.code || 'card_declined';
  }
  const certain = [400, 402, 404];
  if (error instanceof Stripe.errors.StripeInvalidRequestError) {
    return certain.includes(error.statusCode ?? 0) ? (error.code ?? 'invalid_request') : undefined;
  }
  return undefined;
}

async function orRefusal<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    const code = refusalOf(error);
    throw code === undefined ? error : new ProviderRefusal(code);
  }
}

async function orNotFound<Result>(ask: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (refusalOf(error) === 'resource_missing') return undefined;
    throw error;
  }
}
