import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '@signet/database/testing';
import { euros, newPayment, startPayments } from '../testing/running-payments.js';
import type { RunningPayments } from '../testing/running-payments.js';
import { startSandbox, WEBHOOK_SECRET } from '../testing/running-sandbox.js';
import type { RunningSandbox } from '../testing/running-sandbox.js';
import { signatureHeader } from './signature.js';

const OLD_SECRET = 'the-secret-before-the-rotation';

let sandbox: RunningSandbox;
let payments: RunningPayments;
let database: pg.Pool;

beforeAll(async () => {
  const port = await freePort();
  sandbox = await startSandbox(`http://127.0.0.1:${port}/webhooks/sandbox`);
  // Nothing is asked about here: what is known comes from answers and webhooks alone.
  payments = await startPayments(sandbox.url, {
    SIGNET_RECONCILE_AFTER_MS: '3600000',
    SIGNET_SANDBOX_WEBHOOK_SECRETS: `${WEBHOOK_SECRET},${OLD_SECRET}`,
  });
  await payments.service.app.listen(port, '127.0.0.1');
  database = new pg.Pool({ connectionString: payments.service.databaseUrl });
  // Dropping the database may cut a connection that is about to close.
  database.on('error', () => undefined);
});
afterAll(async () => {
  await database.end();
  await sandbox.remove();
  await payments.close();
});
afterEach(() => sandbox.chaos({}));

const outcomes = async (id: string) => {
  const { rows } = await database.query<{ outcome: string; type: string }>(
    'select type, outcome from provider_events where payment_id = $1 order by received_at',
    [id],
  );
  return rows;
};

async function events(id: string, count: number) {
  for (;;) {
    const rows = await outcomes(id);
    if (rows.length >= count) return rows;
    await sleep(30);
  }
}

/** An event as the sandbox would send it. */
function eventOf(payment: object, id: string = randomUUID()): string {
  return JSON.stringify({ id, type: 'payment.something', payment });
}

function post(body: string, header = signatureHeader(body, WEBHOOK_SECRET), name = 'sandbox') {
  return payments.service.app.inject({
    ...{ method: 'POST', url: `/webhooks/${name}`, payload: body },
    headers: { 'content-type': 'application/json', 'signet-signature': header },
  });
}

describe('a webhook', () => {
  it('brings an answer that was lost', async () => {
    const { body } = await payments.authorize({ paymentMethod: 'tok_timeout' });
    expect((await payments.settled(body.id)).status).toBe('requires_capture');
    await sandbox.chaos({ loseAnswers: 1 });
    await payments.capture(body.id);
    expect((await payments.settled(body.id)).capturedAmount).toEqual(euros(2598));
  });

  it('settles a payment under review', async () => {
    await sandbox.chaos({ reviewMs: 300 });
    const { body } = await payments.authorize({ paymentMethod: 'tok_requires_review' });
    expect(body.status).toBe('processing');
    expect((await payments.settled(body.id)).status).toBe('requires_capture');
  });

  it('settles a refund, also one that failed in the end', async () => {
    const { id } = (await payments.authorize()).body;
    await payments.capture(id);
    await sandbox.chaos({ pendingRefunds: 1, failRefunds: 1, reviewMs: 200 });
    expect((await payments.refund(id)).body.status).toBe('pending');
    for (;;) {
      const { refunds } = await payments.read(id);
      if (refunds[0]?.status === 'failed') break;
      await sleep(30);
    }
    expect((await payments.read(id)).refundedAmount).toEqual(euros(0));
  });

  it('may race the answer to the same call: one of them is news, and nothing happens twice', async () => {
    await sandbox.chaos({ delayAnswers: 0.5, delayMs: 40, webhookDelayMs: 40 });
    const authorized = await Promise.all(Array.from({ length: 10 }, () => payments.authorize()));
    const ids = authorized.map(({ body }) => body.id);
    await Promise.all(ids.map((id) => payments.capture(id)));
    for (const id of ids) {
      expect(await payments.settled(id)).toMatchObject({
        ...{ status: 'succeeded', capturedAmount: euros(2598) },
      });
      expect(await events(id, 2)).toHaveLength(2);
    }
  });

  it('is taken once when it comes twice, and in any order', async () => {
    await sandbox.chaos({ duplicateWebhooks: 1, webhookDelayMs: 200 });
    const { id } = (await payments.authorize()).body;
    await payments.capture(id);
    await payments.refund(id, 98);
    expect(await events(id, 3)).toHaveLength(3);
    await sleep(300);
    expect(await outcomes(id)).toHaveLength(3);
    expect(await payments.read(id)).toMatchObject({
      ...{ status: 'succeeded', refundedAmount: euros(98) },
    });
  });

  it('about an authorization that is older than the capture changes nothing', async () => {
    const { id, ...rest } = (await payments.authorize()).body;
    await payments.capture(id);
    const { payments: all } = await sandbox.ledger();
    const payment = all.find(({ reference }) => reference === id);
    const old = eventOf({ ...payment, status: 'authorized', capturedAmount: 0 });
    expect((await post(old)).statusCode).toBe(204);
    expect((await payments.read(id)).status).toBe('succeeded');
    expect(rest.status).toBe('requires_capture');
  });

  it('is stored once, however many copies come at once', async () => {
    const { id } = (await payments.authorize()).body;
    await events(id, 1);
    const { payments: all } = await sandbox.ledger();
    const body = eventOf(all.find(({ reference }) => reference === id) ?? {});
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(body)));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(8).fill(204));
    expect(await outcomes(id)).toHaveLength(2);
  });

  it('is forgotten after 90 days', async () => {
    const about = randomUUID();
    for (const age of ['91 days', '89 days']) {
      await database.query(
        `insert into provider_events (provider, id, type, payment_id, outcome, received_at)
         values ('sandbox', gen_random_uuid(), $1::text, $2, 'stale', now() - $1::text::interval)`,
        [age, about],
      );
    }
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    const body = eventOf({ id: 'sp_1', reference: 'x', status: 'captured', capturedAmount: 1 });
    expect((await post(body)).statusCode).toBe(204);
    jest.restoreAllMocks();
    while ((await outcomes(about)).length > 1) await sleep(20);
    expect(await outcomes(about)).toMatchObject([{ type: '89 days' }]);
  });

  it('about nothing of ours is taken and changes nothing', async () => {
    const payment = { id: 'sp_1', reference: randomUUID(), status: 'captured', capturedAmount: 1 };
    expect((await post(eventOf(payment))).statusCode).toBe(204);
    expect((await post(eventOf({ ...payment, reference: 'not an id' }))).statusCode).toBe(204);
  });

  it('does not move a payment that the provider knows by another id', async () => {
    const { id } = (await payments.authorize()).body;
    const other = { id: 'sp_other', reference: id, status: 'captured', capturedAmount: 2598 };
    expect((await post(eventOf(other))).statusCode).toBe(204);
    expect((await payments.read(id)).status).toBe('requires_capture');
  });

  it('is believed with the secret before the rotation too', async () => {
    const body = eventOf({ id: 'sp_1', reference: 'x', status: 'captured', capturedAmount: 1 });
    expect((await post(body, signatureHeader(body, OLD_SECRET))).statusCode).toBe(204);
  });

  it('is refused when it is not signed by the provider over these bytes', async () => {
    const { orderId } = newPayment();
    const body = eventOf({ id: 'sp_1', reference: orderId, status: 'captured', capturedAmount: 1 });
    const old = Math.floor(Date.now() / 1000) - 301;
    for (const header of [
      ...['', 't=1,v1=00', signatureHeader(body, 'a-secret-of-somebody-else')],
      ...[signatureHeader(`${body} `, WEBHOOK_SECRET), signatureHeader(body, WEBHOOK_SECRET, old)],
    ]) {
      const answer = await post(body, header);
      expect(answer.json()).toMatchObject({ status: 400, code: 'webhook_not_signed' });
    }
    const empty = await payments.service.app.inject({ method: 'POST', url: '/webhooks/sandbox' });
    expect(empty.json()).toMatchObject({ code: 'webhook_not_signed' });
  });

  it('that is signed and is no event is refused for good, and counted', async () => {
    const payment = { id: 'sp_1', reference: 'x', status: 'captured', capturedAmount: 1 };
    const refused = [
      ...['', 'not JSON', 'null', '[]', '{}', eventOf({}), eventOf({ ...payment, status: 'lost' })],
      ...[eventOf(payment, 'a\0b'), eventOf({ ...payment, id: '\0' }), eventOf(payment, '')],
      eventOf({ ...payment, capturedAmount: 0.5 }),
    ];
    for (const body of refused) {
      const answer = await post(body);
      expect([body, answer.json()]).toMatchObject([
        body,
        { status: 400, code: 'webhook_unreadable' },
      ]);
    }
    const { body: metrics } = await payments.service.app.inject({ method: 'GET', url: '/metrics' });
    expect(metrics).toContain(`payments_webhooks_refused_total{reason="unreadable"} 11`);
  });

  it('that cannot be true is refused for good, counted, and changes nothing', async () => {
    const { id } = (await payments.authorize()).body;
    await events(id, 1);
    const { payments: all } = await sandbox.ledger();
    const known = all.find(({ reference }) => reference === id) ?? { id: '' };
    await sandbox.chaos({ loseAnswers: 1, loseWebhooks: 1 });
    const unknown = (await payments.authorize()).body.id;
    for (const news of [
      { id: known.id, reference: id, status: 'captured', capturedAmount: 2599 },
      { id: known.id, reference: unknown, status: 'authorized', capturedAmount: 0 },
    ]) {
      expect((await post(eventOf(news))).json()).toMatchObject({
        ...{ status: 400, code: 'webhook_contradicts' },
      });
    }
    expect(await payments.read(id)).toMatchObject({ status: 'requires_capture' });
    expect(await payments.read(unknown)).toMatchObject({ status: 'processing' });
    const { body: metrics } = await payments.service.app.inject({ method: 'GET', url: '/metrics' });
    expect(metrics).toContain('payments_webhooks_refused_total{reason="contradicts"} 2');
  });

  it('of a provider that is not in use is 404, signed or not', async () => {
    const body = eventOf({});
    for (const name of ['stripe', 'constructor', '..%2f']) {
      expect((await post(body, undefined, name)).statusCode).toBe(404);
    }
  });
});
