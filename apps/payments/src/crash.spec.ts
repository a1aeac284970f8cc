import { TestRevocationFeed } from '@signet/auth-guard/testing';
import { createTestDatabase } from '@signet/database/testing';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProcess } from './testing/running-process.js';
import type { ServiceProcess } from '@signet/database/testing';
import { issuer, newPayment, orders, sandboxVariables } from './testing/running-payments.js';
import type { Body } from './testing/running-payments.js';
import { startSandbox } from './testing/running-sandbox.js';
import type { RunningSandbox } from './testing/running-sandbox.js';

let sandbox: RunningSandbox;
let payments: ServiceProcess;
const cleanUp: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const database = await createTestDatabase();
  const jwks = await issuer.serve();
  const feed = new TestRevocationFeed(issuer);
  const revocations = await feed.serve();
  sandbox = await startSandbox();
  payments = await startProcess('main.ts', {
    ...sandboxVariables(sandbox.url),
    ...{ SIGNET_PROVIDER_DEADLINE_MS: '4000', SIGNET_RECONCILE_AFTER_MS: '4500' },
    ...{ DATABASE_URL: database.url, LOG_LEVEL: 'silent' },
    ...{ SIGNET_ISSUER: issuer.issuer, SIGNET_JWKS_URI: jwks.jwksUri },
    SIGNET_REVOCATIONS_URL: revocations,
  });
  cleanUp.push(
    ...[() => payments.kill(), () => sandbox.remove(), () => feed.close(), () => jwks.close()],
    () => database.drop(),
  );
}, 60_000);
afterAll(async () => {
  for (const step of cleanUp) await step();
});

async function post(path: string, body: object, key: string = randomUUID()) {
  const answer = await fetch(`${payments.url}/internal/payments${path}`, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${orders}`, 'content-type': 'application/json' },
      'idempotency-key': key,
    },
    body: JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text() };
}

async function read(query: string): Promise<Body> {
  const headers = { authorization: `Bearer ${orders}` };
  const answer = await fetch(`${payments.url}/internal/payments${query}`, { headers });
  return (await answer.json()) as Body;
}

/** What the provider has done so far, for one payment or for all. */
const entries = async () => (await sandbox.ledger()).entries;

/** Sends a request, and kills the service when the provider has acted and not answered yet. */
async function crashDuring(path: string, body: object, key: string): Promise<void> {
  const before = (await entries()).length;
  await sandbox.chaos({ delayAnswers: 1, delayMs: 3000 });
  const lost = post(path, body, key).catch(() => undefined);
  while ((await entries()).length === before) await sleep(10);
  await payments.kill('SIGKILL');
  await lost;
  await sandbox.chaos({});
  await payments.start();
}

/** Asks again under the same key, as a caller does that had no answer, until there is one. */
async function retry(path: string, body: object, key: string) {
  for (;;) {
    const answer = await post(path, body, key);
    if (answer.status !== 409) return answer;
    expect(answer.text).toContain('idempotency_key_in_use');
    await sleep(250);
  }
}

it('killed between the provider’s deed and its answer, it finds out what was done, and does it once', async () => {
  const body = newPayment();
  const key = randomUUID();
  await crashDuring('', body, key);
  const retried = await retry('', body, key);
  expect(retried.status).toBe(201);
  let payment = await read(`?orderId=${body.orderId}`);
  while (payment.status === 'processing') {
    await sleep(100);
    payment = await read(`/${payment.id}`);
  }
  expect(payment.status).toBe('requires_capture');
  // One key has one answer, whatever has become known since.
  expect(await post('', body, key)).toEqual(retried);

  await crashDuring(`/${payment.id}/capture`, {}, randomUUID());
  while ((await read(`/${payment.id}`)).status === 'processing') await sleep(100);
  expect((await read(`/${payment.id}`)).status).toBe('succeeded');

  const refund = { reason: 'it broke' };
  const refundKey = randomUUID();
  await crashDuring(`/${payment.id}/refunds`, refund, refundKey);
  await retry(`/${payment.id}/refunds`, refund, refundKey);
  while ((await read(`/${payment.id}`)).refunds[0]?.status === 'pending') await sleep(100);
  expect((await read(`/${payment.id}`)).refundedAmount.amount).toBe(2598);
  expect(await entries()).toMatchObject([
    ...[{ kind: 'authorized' }, { kind: 'captured' }, { kind: 'refunded' }],
  ]);
  expect(await entries()).toHaveLength(3);
}, 180_000);
