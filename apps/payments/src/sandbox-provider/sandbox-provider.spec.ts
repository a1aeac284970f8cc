import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startSandbox } from '../testing/running-sandbox.js';
import type { RunningSandbox } from '../testing/running-sandbox.js';
import type { SandboxEvent, SandboxPayment } from './records.js';

let sandbox: RunningSandbox;
const received: SandboxEvent[] = [];
let refuse = 0;
const listener = createServer((request, response) => {
  void request.toArray().then((chunks) => {
    const refused = refuse > 0;
    if (refused) refuse--;
    else received.push(JSON.parse(Buffer.concat(chunks as Buffer[]).toString()) as SandboxEvent);
    response.writeHead(refused ? 500 : 204).end();
  });
});

beforeAll(async () => {
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  sandbox = await startSandbox(`http://127.0.0.1:${port}/`);
});
afterAll(async () => {
  await sandbox.remove();
  listener.close();
});
afterEach(() => sandbox.chaos({}));

const asked = { reference: 'order-1', amount: 1999, currency: 'EUR', method: 'tok_ok' };

async function authorize(key?: string, change = {}) {
  const answer = await sandbox.call('POST', '/v1/payments', { ...asked, ...change }, key);
  return { status: answer.status, body: (await answer.json()) as SandboxPayment };
}

const until = async (done: () => boolean) => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 20));
};

describe('the sandbox provider', () => {
  it('does nothing without its key, and lives without it', async () => {
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: 'Bearer ' }]) {
      for (const path of ['/ledger', '/chaos', '/v1/payments/x', '/nothing']) {
        expect((await fetch(sandbox.url + path, { headers })).status).toBe(401);
      }
    }
    expect((await fetch(`${sandbox.url}/health/ready`)).status).toBe(200);
  });

  it('answers one key one way, and refuses another call under it', async () => {
    const first = await authorize('a-key');
    expect(await authorize('a-key')).toEqual(first);
    expect((await authorize('a-key', { amount: 1 })).body).toMatchObject({
      error: { code: 'idempotency_error' },
    });
    const { payments } = await sandbox.ledger();
    expect(payments.filter(({ id }) => id === first.body.id)).toHaveLength(1);
  });

  it('remembers everything after it was killed, and goes on with what was under way', async () => {
    await sandbox.chaos({ reviewMs: 300 });
    const review = await authorize('review', { method: 'tok_requires_review' });
    const other = await authorize('before');
    await sandbox.kill('SIGKILL');
    await sandbox.start();
    expect(await authorize('before')).toEqual(other);
    await until(() => received.some(({ payment }) => payment.id === review.body.id));
    const now = await sandbox.call('GET', `/v1/payments/${review.body.id}`);
    expect(await now.json()).toMatchObject({ status: 'authorized' });
  });

  it('tells what became of a call, by its key', async () => {
    const { body } = await authorize('looked-up');
    const capture = `/v1/payments/${body.id}/capture`;
    await sandbox.call('POST', capture, { amount: 999 });
    const found = await sandbox.call('GET', '/v1/calls/looked-up');
    expect(await found.json()).toMatchObject({
      payment: { status: 'captured', capturedAmount: 999 },
    });
    expect((await sandbox.call('GET', '/v1/calls/unheard-of')).status).toBe(404);
  });

  it('sends an event again until it is taken', async () => {
    refuse = 2;
    const { body } = await authorize();
    await until(() => received.some(({ payment }) => payment.id === body.id));
    expect(refuse).toBe(0);
  });

  it.each([
    ['no amount', { ...asked, amount: 0 }],
    ['half a cent', { ...asked, amount: 0.5 }],
    ['no currency', { ...asked, currency: 'euro' }],
  ])('refuses %s', async (_what, body) => {
    expect((await sandbox.call('POST', '/v1/payments', body)).status).toBe(400);
  });

  it('adds up what was taken and given back', async () => {
    const before = await sandbox.ledger();
    const { body } = await authorize();
    await sandbox.call('POST', `/v1/payments/${body.id}/capture`, {});
    const refund = { reference: 'refund-1', amount: 99 };
    const path = `/v1/payments/${body.id}/refunds`;
    expect((await sandbox.call('POST', path, refund)).status).toBe(201);
    expect((await sandbox.call('POST', path, { ...refund, amount: 1901 })).status).toBe(422);
    const after = await sandbox.ledger();
    expect((after.captured.EUR ?? 0) - (before.captured.EUR ?? 0)).toBe(1999);
    expect((after.refunded.EUR ?? 0) - (before.refunded.EUR ?? 0)).toBe(99);
  });

  it('goes wrong the same way again with the same seed', async () => {
    const luck = async () => {
      await sandbox.chaos({ declines: 0.5, seed: 7 });
      const statuses: number[] = [];
      for (let times = 0; times < 12; times++) statuses.push((await authorize()).status);
      return statuses;
    };
    const first = await luck();
    expect(new Set(first)).toEqual(new Set([200, 402]));
    expect(await luck()).toEqual(first);
    expect((await sandbox.call('PUT', '/chaos', { nonsense: 1 })).status).toBe(400);
  });
});
