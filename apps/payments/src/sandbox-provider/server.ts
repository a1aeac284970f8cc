import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Books } from './books.js';
import { Dice, readChaos } from './chaos.js';
import type { SandboxConfig } from './config.js';
import { Journal } from './journal.js';
import { ledgerOf } from './ledger.js';
import { newPayment, newRefund, partOfIt } from './shapes.js';
import type { NewRefund, PartOfIt } from './shapes.js';
import { refused, Till } from './till.js';
import type { Answer, Call } from './till.js';
import { WebhookSender } from './webhook-sender.js';
import type { NewPayment } from './books.js';

/**
 * A payment provider to try things with: it takes no money, and fails in the ways that real ones do.
 * Every route but the health check demands the API key.
 */
export function sandboxProvider(config: SandboxConfig): FastifyInstance {
  let { chaos } = config;
  const dice = new Dice(chaos.seed);
  const books = new Books();
  const journal = Journal.open(config.dataFile, (change) => books.apply(change));
  const sender = new WebhookSender({
    ...{ url: config.webhookUrl, secret: config.webhookSecret, chaos: () => chaos, dice },
    onDelivered: (delivered) => till.commit({ delivered }),
  });
  const till = new Till({
    ...{ books, journal, chaos: () => chaos, dice },
    onEvent: (event) => sender.send(event),
  });

  const app = fastify({ forceCloseConnections: true, bodyLimit: 16 * 1024 });
  app.addHook('onRequest', async (request, reply) => {
    if (request.url === '/health/ready' || holdsKey(request, config.apiKey)) return;
    await reply.status(401).send(refused('unauthorized', 'A valid API key is needed.', 401).body);
  });
  app.addHook('onReady', () => {
    till.resume();
  });
  app.addHook('onClose', () => {
    till.stop();
    sender.stop();
    journal.close();
  });
  app.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
    const status = error.statusCode ?? 500;
    const message = status < 500 ? error.message : 'The sandbox failed.';
    return reply.status(status).send(refused('invalid_request', message, status).body);
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.status(404).send(refused('not_found', 'There is no such thing.', 404).body),
  );

  /** Takes a call, and lets happen to it what the knobs say. */
  async function take(
    request: FastifyRequest,
    reply: FastifyReply,
    effect: (call: Call) => Answer,
  ) {
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || key.length > 255) {
      return reply
        .status(400)
        .send(refused('key_required', 'Idempotency-Key is missing.', 400).body);
    }
    const [lost, unheard, late] = [
      dice.hits(chaos.loseRequests),
      dice.hits(chaos.loseAnswers),
      dice.hits(chaos.delayAnswers),
    ];
    if (lost) return drop(reply);
    const answer = effect({ key, asked: [request.url, request.body ?? null] });
    if (unheard) return drop(reply);
    const method = (request.body as Partial<NewPayment> | undefined)?.method;
    // The connection stays open, in silence, until the caller has had enough.
    if (method === 'tok_timeout' && !answer.replayed) return reply.hijack();
    const delay = (late ? chaos.delayMs : 0) + (method === 'tok_slow' ? chaos.slowMs : 0);
    if (delay > 0) await sleep(delay);
    return reply.status(answer.status).send(answer.body);
  }

  app.get('/health/ready', () => ({ status: 'ok' }));
  app.post<{ Body: NewPayment }>('/v1/payments', newPayment, (request, reply) =>
    take(request, reply, (call) => till.authorize(call, request.body)),
  );
  app.post<{ Params: { id: string }; Body: PartOfIt | null }>(
    '/v1/payments/:id/capture',
    partOfIt,
    (request, reply) =>
      take(request, reply, (call) => till.capture(call, request.params.id, request.body?.amount)),
  );
  app.post<{ Params: { id: string } }>('/v1/payments/:id/cancel', (request, reply) =>
    take(request, reply, (call) => till.cancel(call, request.params.id)),
  );
  app.post<{ Params: { id: string }; Body: NewRefund }>(
    '/v1/payments/:id/refunds',
    newRefund,
    (request, reply) =>
      take(request, reply, (call) => till.refund(call, request.params.id, request.body)),
  );
  app.get<{ Params: { id: string } }>('/v1/payments/:id', ({ params }, reply) =>
    orNotFound(reply, books.payments.get(params.id)),
  );
  app.get<{ Params: { id: string } }>('/v1/refunds/:id', ({ params }, reply) =>
    orNotFound(reply, books.refunds.get(params.id)),
  );
  /** What became of the call with this key: how things stand now, not what it was answered. */
  app.get<{ Params: { key: string } }>('/v1/calls/:key', ({ params }, reply) => {
    const call = books.calls.get(params.key);
    const payment = books.payments.get(call?.payment ?? '');
    const refund = books.refunds.get(call?.refund ?? '');
    return orNotFound(reply, call && { status: call.status, payment, refund });
  });
  app.get('/ledger', () => ledgerOf(books));
  app.get('/chaos', () => chaos);
  app.put('/chaos', (request, reply) => {
    try {
      chaos = readChaos(request.body);
    } catch (error) {
      return reply.status(400).send(refused('invalid_request', String(error), 400).body);
    }
    dice.startFrom(chaos.seed);
    return chaos;
  });
  return app;
}

function holdsKey(request: FastifyRequest, apiKey: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const shown = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(shown), digest(apiKey));
}

function drop(reply: FastifyReply): FastifyReply {
  reply.hijack();
  reply.raw.destroy();
  return reply;
}

function orNotFound(reply: FastifyReply, found: unknown) {
  if (found) return found;
  return reply.status(404).send(refused('not_found', 'There is no such thing.', 404).body);
}
