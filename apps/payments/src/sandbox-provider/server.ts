import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import { Books } from './books.js';
import { readChaos } from './chaos.js';
import type { SandboxConfig } from './config.js';
import { Journal } from './journal.js';
import { ledgerOf } from './ledger.js';
import { Mishaps } from './mishaps.js';
import { BadCall, newPayment, newRefund, partOfIt } from './shapes.js';
import { refused, Till } from './till.js';
import { WebhookSender } from './webhook-sender.js';

interface ById {
  Params: { id: string };
}

/**
 * A payment provider to try things with: it takes no money, and fails in the ways that real ones do.
 * Every route but the health check demands the API key.
 */
export function sandboxProvider(config: SandboxConfig): FastifyInstance {
  const mishaps = new Mishaps(config.chaos);
  const { dice } = mishaps;
  const chaos = () => mishaps.chaos;
  const books = new Books();
  const journal = Journal.open(config.dataFile, (change) => books.apply(change));
  const sender = new WebhookSender({
    ...{ url: config.webhookUrl, secret: config.webhookSecret, chaos, dice },
    onDelivered: (delivered) => till.commit({ delivered }),
  });
  const onEvent = sender.send.bind(sender);
  const till = new Till({ books, journal, chaos, dice, onEvent });

  const app = fastify({ forceCloseConnections: true, bodyLimit: 16 * 1024 });
  admitHolders(app, config.apiKey);
  answerErrors(app);
  app.addHook('onReady', () => till.resume());
  app.addHook('onClose', () => {
    till.stop();
    sender.stop();
    journal.close();
  });
  app.get('/health/ready', () => ({ status: 'ok' }));
  takeCalls(app, till, mishaps);
  tell(app, books);
  turnKnobs(app, mishaps);
  return app;
}

/** What moves money. */
function takeCalls(app: FastifyInstance, till: Till, mishaps: Mishaps): void {
  app.post('/v1/payments', (request, reply) =>
    mishaps.take(request, reply, (call) => till.authorize(call, newPayment(request.body))),
  );
  app.post<ById>('/v1/payments/:id/capture', (request, reply) =>
    mishaps.take(request, reply, (call) =>
      till.capture(call, request.params.id, partOfIt(request.body)),
    ),
  );
  app.post<ById>('/v1/payments/:id/cancel', (request, reply) =>
    mishaps.take(request, reply, (call) => till.cancel(call, request.params.id)),
  );
  app.post<ById>('/v1/payments/:id/refunds', (request, reply) =>
    mishaps.take(request, reply, (call) =>
      till.refund(call, request.params.id, newRefund(request.body)),
    ),
  );
}

/** What can be asked. */
function tell(app: FastifyInstance, { payments, refunds, calls, ...books }: Books): void {
  app.get<ById>('/v1/payments/:id', ({ params }, reply) =>
    orNotFound(reply, payments.get(params.id)),
  );
  app.get<ById>('/v1/refunds/:id', ({ params }, reply) =>
    orNotFound(reply, refunds.get(params.id)),
  );
  // What became of the call with this key: how things stand now, not what it was answered.
  app.get<ById>('/v1/calls/:id', ({ params }, reply) => {
    const call = calls.get(params.id);
    const payment = payments.get(call?.payment ?? '');
    const refund = refunds.get(call?.refund ?? '');
    return orNotFound(reply, call && { status: call.status, payment, refund });
  });
  app.get('/ledger', () => ledgerOf({ payments, refunds, ...books }));
}

function turnKnobs(app: FastifyInstance, mishaps: Mishaps): void {
  app.get('/chaos', () => mishaps.chaos);
  app.put('/chaos', ({ body }) => {
    try {
      mishaps.chaos = readChaos(body);
    } catch (error) {
      throw new BadCall(String(error));
    }
    return mishaps.chaos;
  });
}

function admitHolders(app: FastifyInstance, apiKey: string): void {
  app.addHook('onRequest', async (request, reply) => {
    if (request.url === '/health/ready' || holdsKey(request, apiKey)) return;
    await reply.status(401).send(refused('unauthorized', 'A valid API key is needed.', 401).body);
  });
}

function holdsKey(request: FastifyRequest, apiKey: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const shown = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(shown), digest(apiKey));
}

function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
    const status = error.statusCode ?? 500;
    const message = status < 500 ? error.message : 'The sandbox failed.';
    return reply.status(status).send(refused('invalid_request', message, status).body);
  });
  app.setNotFoundHandler((_request, reply) => orNotFound(reply, undefined));
}

function orNotFound(reply: FastifyReply, found: unknown) {
  return found ?? reply.status(404).send(refused('not_found', 'There is no such thing.', 404).body);
}
