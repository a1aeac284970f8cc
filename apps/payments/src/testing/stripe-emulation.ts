import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';

export const STRIPE_KEY = 'sk_test_of_the_emulation';

/** What happens to a request instead of an answer. `lost` has its effect first. */
export type Fault = 'lost' | 'dropped' | 429 | 500;

type StripeObject = Record<string, unknown> & { id: string; status: string; amount: number };

interface Call {
  id: string;
  form: URLSearchParams;
}

/** The endpoints of Stripe's API that we use, behaving as its reference says. */
export interface StripeEmulation {
  url: string;
  intents: Map<string, StripeObject>;
  refunds: Map<string, StripeObject>;
  /** Of the next requests, in order. */
  faults: (Fault | undefined)[];
  /** Requests that came, such as `POST /v1/refunds`. */
  requests: string[];
  /** Whether the search knows of anything yet: Stripe's is behind. */
  searchable: boolean;
  close(): Promise<void>;
}

export async function startStripe(): Promise<StripeEmulation> {
  const app = fastify({ forceCloseConnections: true });
  const stripe: StripeEmulation = {
    ...{ url: '', intents: new Map(), refunds: new Map(), faults: [], requests: [] },
    ...{ searchable: true, close: () => app.close() },
  };
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, body),
  );
  app.addHook('onRequest', async (request, reply) => {
    stripe.requests.push(`${request.method} ${request.url.split('?', 1)[0] ?? ''}`);
    if (request.headers.authorization === `Bearer ${STRIPE_KEY}`) return;
    await reply.status(401).send({ error: { type: 'invalid_request_error', message: 'no key' } });
  });
  post(app, stripe, '/v1/payment_intents', (call) => createIntent(stripe, call));
  post(app, stripe, '/v1/payment_intents/:id/capture', (call) => capture(stripe, call));
  post(app, stripe, '/v1/payment_intents/:id/cancel', (call) =>
    change(stripe, call, 'requires_capture', { status: 'canceled' }),
  );
  post(app, stripe, '/v1/refunds', (call) => refund(stripe, call));
  app.get<{ Querystring: { query: string } }>('/v1/payment_intents/search', ({ query }) => {
    const wanted = /^metadata\['signet_payment'\]:'(.+)'$/.exec(query.query)?.[1];
    const data = [...stripe.intents.values()].filter(
      ({ metadata }) => (metadata as Record<string, string>).signet_payment === wanted,
    );
    return { object: 'search_result', has_more: false, data: stripe.searchable ? data : [] };
  });
  app.get<{ Params: { id: string } }>('/v1/payment_intents/:id', ({ params }, reply) => {
    const found = stripe.intents.get(params.id);
    return found ?? reply.status(404).send(refusal('resource_missing'));
  });
  app.get<{ Querystring: { payment_intent: string } }>('/v1/refunds', ({ query }) => ({
    ...{ object: 'list', has_more: false },
    data: [...stripe.refunds.values()].filter(
      (found) => found.payment_intent === query.payment_intent,
    ),
  }));
  stripe.url = await app.listen({ port: 0, host: '127.0.0.1' });
  return stripe;
}

class Refused extends Error {
  constructor(
    readonly status: number,
    readonly body: object,
  ) {
    super('refused');
  }
}

function refusal(code: string, type = 'invalid_request_error', more: object = {}) {
  return { error: { type, code, message: code, ...more } };
}

/** A route whose answers are kept under their idempotency keys. */
function post(
  app: FastifyInstance,
  stripe: StripeEmulation,
  path: string,
  effect: (call: Call) => StripeObject,
): void {
  const answers = new Map<string, { sent: unknown; status: number; body: object }>();
  app.post(path, (request: FastifyRequest, reply: FastifyReply) => {
    const fault = stripe.faults.shift();
    if (fault === 'dropped') return drop(reply);
    if (typeof fault === 'number') return reply.status(fault).send(refusal('fault', 'api_error'));
    const key = String(request.headers['idempotency-key']);
    const sent = `${request.url} ${formOf(request)}`;
    const known = answers.get(key);
    if (known && known.sent !== sent) {
      return reply.status(400).send(refusal('idempotency', 'idempotency_error'));
    }
    const answer = known ?? { sent, ...answerTo(request, effect) };
    answers.set(key, answer);
    if (fault === 'lost') return drop(reply);
    return reply.status(answer.status).send(answer.body);
  });
}

function answerTo(request: FastifyRequest, effect: (call: Call) => StripeObject) {
  try {
    const { id = '' } = request.params as { id?: string };
    const form = new URLSearchParams(formOf(request));
    return { status: 200, body: structuredClone(effect({ id, form })) };
  } catch (error) {
    if (error instanceof Refused) return { status: error.status, body: error.body };
    throw error;
  }
}

function formOf({ body }: FastifyRequest): string {
  return typeof body === 'string' ? body : '';
}

function drop(reply: FastifyReply): FastifyReply {
  reply.hijack();
  reply.raw.destroy();
  return reply;
}

function createIntent({ intents }: StripeEmulation, { form }: Call): StripeObject {
  const given = ['confirm', 'capture_method', 'error_on_requires_action'].map((x) => form.get(x));
  if (given.join() !== 'true,manual,true') throw new Refused(400, refusal('parameter_invalid'));
  const method = form.get('payment_method');
  if (method === 'pm_nobody') throw new Refused(404, refusal('resource_missing'));
  const intent: StripeObject = {
    ...{ id: `pi_${randomUUID()}`, object: 'payment_intent', status: 'requires_capture' },
    ...{ amount: Number(form.get('amount')), currency: form.get('currency'), amount_received: 0 },
    ...{ metadata: metadataOf(form), last_payment_error: null },
  };
  intents.set(intent.id, intent);
  if (method !== 'pm_card_visa_chargeDeclined') return intent;
  const error = { code: 'card_declined', decline_code: 'insufficient_funds' };
  Object.assign(intent, { status: 'requires_payment_method', last_payment_error: error });
  const more = { ...error, payment_intent: intent };
  throw new Refused(402, refusal('card_declined', 'card_error', more));
}

function capture(stripe: StripeEmulation, call: Call): StripeObject {
  const amount = Number(call.form.get('amount_to_capture'));
  return change(stripe, call, 'requires_capture', { status: 'succeeded', amount_received: amount });
}

function change(
  { intents }: StripeEmulation,
  { id }: Call,
  from: string,
  to: object,
): StripeObject {
  const intent = intents.get(id);
  if (!intent) throw new Refused(404, refusal('resource_missing'));
  if (intent.status !== from) throw new Refused(400, refusal('payment_intent_unexpected_state'));
  return Object.assign(intent, to);
}

function refund({ intents, refunds }: StripeEmulation, { form }: Call): StripeObject {
  const intent = intents.get(form.get('payment_intent') ?? '');
  const amount = Number(form.get('amount'));
  const refunded = [...refunds.values()]
    .filter((other) => other.payment_intent === intent?.id && other.status !== 'failed')
    .reduce((sum, other) => sum + other.amount, 0);
  if (!intent || refunded + amount > Number(intent.amount_received)) {
    throw new Refused(400, refusal('charge_already_refunded'));
  }
  const made: StripeObject = {
    ...{ id: `re_${randomUUID()}`, object: 'refund', status: 'succeeded', amount },
    ...{ payment_intent: intent.id, metadata: metadataOf(form) },
  };
  refunds.set(made.id, made);
  return made;
}

function metadataOf(form: URLSearchParams): Record<string, string> {
  return Object.fromEntries(
    [...form].flatMap(([name, value]) => {
      const key = /^metadata\[(\w+)\]$/.exec(name)?.[1];
      return key === undefined ? [] : [[key, value]];
    }),
  );
}
