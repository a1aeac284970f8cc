import { z } from 'zod';
import { paymentNews, readSigned, refundNews } from '../webhooks/read-event.js';
import { isSignedBy } from '../webhooks/signature.js';
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

export interface SandboxOptions {
  url: string;
  apiKey: string;
  /** The newest first; all of them are believed. */
  webhookSecrets: readonly string[];
  /** How long a call may take, in milliseconds. */
  deadline: number;
}

const payment = paymentNews.extend({ reference: z.string() });
const refund = refundNews.extend({ reference: z.string() });
const refusal = z.object({ error: z.object({ code: z.string() }), payment: payment.optional() });
const call = z.object({ payment: payment.optional(), refund: refund.optional() });
const event = z.object({
  id: z.string(),
  type: z.string(),
  payment,
  refund: refund.optional(),
});

/** Statuses that say for certain that a call did nothing; 401, 409 in flight and 429 do not. */
const REFUSALS = new Set([400, 402, 404, 409, 422]);

/** The provider of `sandbox-provider/`, which is a process of its own. */
export class SandboxProvider implements PaymentProvider {
  readonly name = 'sandbox';
  readonly remembersKeysFor = Number.POSITIVE_INFINITY;

  constructor(private readonly options: SandboxOptions) {}

  get longestCall(): number {
    return this.options.deadline;
  }

  async authorize({ key, paymentId, ...asked }: Authorization): Promise<ProviderPayment> {
    const { amount, currency, method } = asked;
    const body = { reference: paymentId, amount, currency, method };
    const answer = await this.send('POST', '/v1/payments', key, body);
    if (answer.status === 200) return payment.parse(answer.body);
    const refused = refusalOf(answer);
    // What cannot even be tried is declined: nothing is held.
    return refused.payment ?? declined(refused.code);
  }

  async capture({ key, payment: id, amount }: PartialFollowUp): Promise<ProviderPayment> {
    const path = `/v1/payments/${encodeURIComponent(id)}/capture`;
    return payment.parse(accepted(await this.send('POST', path, key, { amount })));
  }

  async void({ key, payment: id }: FollowUp): Promise<ProviderPayment> {
    const path = `/v1/payments/${encodeURIComponent(id)}/cancel`;
    return payment.parse(accepted(await this.send('POST', path, key)));
  }

  async refund({ key, payment: id, refundId, amount }: RefundCall): Promise<ProviderRefund> {
    const path = `/v1/payments/${encodeURIComponent(id)}/refunds`;
    const body = { reference: refundId, amount };
    return refund.parse(accepted(await this.send('POST', path, key, body)));
  }

  async findPayment({ key }: ProviderCall, id: string | undefined) {
    if (id !== undefined) return this.find(`/v1/payments/${encodeURIComponent(id)}`, payment);
    return (await this.find(`/v1/calls/${key}`, call))?.payment;
  }

  async findRefund({ key }: RefundCall): Promise<ProviderRefund | undefined> {
    return (await this.find(`/v1/calls/${key}`, call))?.refund;
  }

  readEvent(body: Buffer, headers: WebhookHeaders): ProviderEvent | undefined {
    const header = headers['signet-signature'];
    if (typeof header !== 'string' || !isSignedBy(this.options.webhookSecrets, body, header)) {
      throw new ForgedWebhook();
    }
    return readSigned(body, event, ({ id, type, ...about }) => ({
      ...{ id, type, paymentId: about.payment.reference, payment: about.payment.id },
      ...(about.refund
        ? { refund: { ...about.refund, refundId: about.refund.reference } }
        : { news: about.payment }),
    }));
  }

  private async find<Shape extends z.ZodType>(
    path: string,
    shape: Shape,
  ): Promise<z.infer<Shape> | undefined> {
    const answer = await this.send('GET', path);
    if (answer.status === 404) return undefined;
    return shape.parse(accepted(answer));
  }

  private async send(method: string, path: string, key?: string, body?: object): Promise<Answer> {
    const { url, apiKey, deadline } = this.options;
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(deadline),
    });
    return { status: response.status, body: await response.json() };
  }
}

interface Answer {
  status: number;
  body: unknown;
}

function accepted(answer: Answer): unknown {
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  throw new ProviderRefusal(refusalOf(answer).code);
}

function refusalOf({ status, body }: Answer) {
  if (!REFUSALS.has(status)) throw new Error(`The sandbox provider answered ${status}.`);
  const { error, payment: refused } = refusal.parse(body);
  // The first call under the key may well have taken effect.
  if (error.code === 'idempotency_error') throw new Error('The idempotency key was used before.');
  return { code: error.code, payment: refused };
}
