import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Refund } from '../payments/payment.schema.js';
import {
  admin,
  alice,
  euros,
  orders,
  startPayments,
  support,
} from '../testing/running-payments.js';
import type { Answer, RunningPayments } from '../testing/running-payments.js';
import { startSandbox } from '../testing/running-sandbox.js';
import type { RunningSandbox } from '../testing/running-sandbox.js';

let sandbox: RunningSandbox;
let payments: RunningPayments;

beforeAll(async () => {
  sandbox = await startSandbox();
  payments = await startPayments(sandbox.url);
});
afterAll(async () => {
  await payments.close();
  await sandbox.remove();
});
afterEach(() => sandbox.chaos({}));

async function captured(amount = 2598): Promise<string> {
  const { id } = (await payments.authorize({ amount: euros(amount) })).body;
  await payments.capture(id);
  return id;
}

async function settledRefunds(id: string) {
  for (;;) {
    const payment = await payments.read(id);
    if (payment.refunds.every(({ status }) => status !== 'pending')) return payment;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const refundsAtProvider = async (id: string) =>
  (await sandbox.ledger()).entries.filter(
    ({ reference, kind }) => reference === id && kind === 'refunded',
  );

describe('a refund', () => {
  it('gives back all of it, or a part, and never more than is left', async () => {
    const id = await captured();
    const part = await payments.refund(id, 598);
    expect(part).toMatchObject({
      status: 201,
      body: { paymentId: id, amount: euros(598), status: 'succeeded', reason: 'it broke' },
    });
    expect(await payments.refund(id, 2001)).toMatchObject({
      status: 422,
      body: { code: 'refund_exceeds_captured', refundable: euros(2000) },
    });
    expect((await payments.refund(id)).body.amount).toEqual(euros(2000));
    expect((await payments.refund(id)).body.code).toBe('refund_exceeds_captured');
    expect(await payments.read(id)).toMatchObject({
      ...{ status: 'succeeded', refundedAmount: euros(2598), refunds: [{}, {}] },
    });
  });

  it('is refused before anything was captured, and after a partial capture beyond it', async () => {
    const { id } = (await payments.authorize()).body;
    expect((await payments.refund(id)).body.code).toBe('refund_exceeds_captured');
    await payments.capture(id, 1000);
    expect((await payments.refund(id, 1001)).body.code).toBe('refund_exceeds_captured');
    expect((await payments.refund(id, 1000)).status).toBe(201);
  });

  it('of the last cent goes to exactly one of many who ask at once', async () => {
    const id = await captured(100);
    await payments.refund(id, 99);
    const answers = await Promise.all(Array.from({ length: 10 }, () => payments.refund(id, 1)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === 'refund_exceeds_captured')).toHaveLength(9);
    expect(await refundsAtProvider(id)).toHaveLength(2);
  });

  it('that is submitted twice is one refund', async () => {
    const id = await captured();
    const key = randomUUID();
    const answers = await Promise.all([1, 2, 3].map(() => payments.refund(id, 500, key)));
    for (const { status, body } of answers) {
      expect(status === 201 || body.code === 'idempotency_key_in_use').toBe(true);
    }
    const again = await payments.refund(id, 500, key);
    expect(again).toMatchObject({ status: 201, replayed: true });
    expect((await payments.refund(id, 600, key)).body.code).toBe('idempotency_key_reused');
    expect((await payments.read(id)).refunds).toHaveLength(1);
    expect(await refundsAtProvider(id)).toHaveLength(1);
  });

  it('is one refund also when the payment’s id is written in capitals', async () => {
    const id = await captured();
    for (const path of ['/internal/payments', '/admin/payments']) {
      const token = path.startsWith('/admin') ? admin : orders;
      const [key, body] = [randomUUID(), { amount: euros(100), reason: 'x' }];
      const ask = (payment: string) =>
        payments.call('POST', `${path}/${payment}/refunds`, { token, key, body });
      const { body: refund } = await ask(id);
      expect(await ask(id.toUpperCase())).toMatchObject({ replayed: true, body: refund });
    }
    expect((await payments.read(id)).refunds).toHaveLength(2);
  });

  describe('asked for again when its key’s answer is no longer kept', () => {
    const key = randomUUID();
    let first: Answer<Refund>;
    let id: string;
    const again = (body: object) =>
      payments.call('POST', `/internal/payments/${id}/refunds`, { key, body });

    beforeEach(async () => {
      id = await captured();
      first = await payments.refund(id, 100, key);
      const client = new pg.Client(payments.service.databaseUrl);
      await client.connect();
      await client.query('delete from idempotency_keys');
      await client.end();
    });

    it('is the refund that was made then, and says so', async () => {
      const { status, replayed, body } = await payments.refund(id, 100, key);
      expect({ status, replayed, body }).toEqual({ status: 201, replayed: true, body: first.body });
      expect(await payments.refund(id, 100, key)).toMatchObject({ replayed: true });
    });

    it.each([
      ['of another amount', { amount: euros(700), reason: 'it broke' }],
      ['of all there is', { reason: 'it broke' }],
      ['for another reason', { amount: euros(100), reason: 'it is late' }],
    ])('is refused when it is one %s', async (_what, body) => {
      expect(await again(body)).toMatchObject({
        ...{ status: 422, body: { code: 'idempotency_key_reused' } },
      });
      expect((await payments.read(id)).refunds).toHaveLength(1);
    });
  });

  it('is on record under the one spelling of the payment’s id', async () => {
    const id = await captured();
    const path = `/admin/payments/${id.toUpperCase()}/refunds`;
    await payments.call('POST', path, { token: admin, body: { reason: 'x' } });
    const audit = await payments.call('GET', `/admin/audit?subject=${id}`, { token: admin });
    expect(audit.body.items).toHaveLength(1);
  });

  it('whose answer was lost is pending, counts as refunded, and is found to have happened once', async () => {
    const id = await captured();
    await sandbox.chaos({ loseAnswers: 1 });
    expect((await payments.refund(id, 2000)).body.status).toBe('pending');
    expect((await payments.refund(id, 2000)).body.code).toBe('refund_exceeds_captured');
    await sandbox.chaos({});
    const { refunds, refundedAmount } = await settledRefunds(id);
    expect(refunds).toMatchObject([{ status: 'succeeded' }]);
    expect(refundedAmount).toEqual(euros(2000));
    expect(await refundsAtProvider(id)).toHaveLength(1);
  });

  it('that fails is shown with the reason, audited, and may be asked for again', async () => {
    const id = await captured();
    await sandbox.chaos({ failRefunds: 1 });
    expect((await payments.refund(id)).body).toMatchObject({
      ...{ status: 'failed', failure: 'expired_or_canceled_card', reason: 'it broke' },
    });
    await sandbox.chaos({});
    expect(await payments.read(id)).toMatchObject({ refundedAmount: euros(0) });
    expect((await payments.refund(id)).body.status).toBe('succeeded');
    const path = `/admin/audit?subject=${id}`;
    const { items } = (await payments.call('GET', path, { token: admin })).body;
    expect(items).toMatchObject([
      ...[{ action: 'refund.requested' }, { action: 'refund.failed', actor: null }],
      { action: 'refund.requested', actor: 'orders', details: { amount: 2598, currency: 'EUR' } },
    ]);
  });

  it('that the provider settles later ends as the provider says', async () => {
    const id = await captured();
    await sandbox.chaos({ pendingRefunds: 1, reviewMs: 300 });
    expect((await payments.refund(id, 10)).body.status).toBe('pending');
    expect((await settledRefunds(id)).refundedAmount).toEqual(euros(10));
  });
});

describe('what has become of refunds', () => {
  const changes = async (since: string, cursor?: string) => {
    const query = new URLSearchParams({ since, limit: '2', ...(cursor && { cursor }) });
    return payments.call('GET', `/internal/payments/refund-changes?${query.toString()}`);
  };

  it('is told in the order in which it came about, page by page', async () => {
    const since = new Date().toISOString();
    const ids = [await captured(), await captured(), await captured()];
    await captured();
    for (const id of ids.toReversed()) await payments.refund(id, 100);
    await payments.refund(ids[2] ?? '');
    const first = (await changes(since)).body;
    const rest = (await changes(since, first.nextCursor ?? '')).body;
    const told = [...first.items, ...rest.items];
    expect(told.map(({ id }) => id)).toEqual([ids[1], ids[0], ids[2]]);
    expect(told[2]).toMatchObject({
      ...{ capturedAmount: euros(2598), refundedAmount: euros(2598) },
      ...{ refunds: [{ status: 'succeeded' }, { status: 'succeeded' }] },
    });
    expect(rest.nextCursor).toBeNull();
    const later = new Date(Date.now() + 60_000).toISOString();
    expect((await changes(later)).body.items).toEqual([]);
  });

  it('is for services, and asks for a moment that there is', async () => {
    const path = '/internal/payments/refund-changes?since=2026-01-01T00:00:00Z';
    expect((await payments.call('GET', path, { token: admin })).status).toBe(403);
    for (const since of ['', 'yesterday', '0000-01-01T00:00:00Z']) {
      expect((await changes(since)).status).toBe(400);
    }
    const position = JSON.stringify(['0000-01-01T00:00:00Z', randomUUID()]);
    const cursor = Buffer.from(position).toString('base64url');
    expect(await changes('2026-01-01T00:00:00Z', cursor)).toMatchObject({
      ...{ status: 400, body: { code: 'invalid_cursor' } },
    });
  });
});

describe('a refund by a person', () => {
  const refund = (id: string, token: string, body: object = { reason: 'it broke' }) =>
    payments.call('POST', `/admin/payments/${id}/refunds`, { token, body });

  it('is for administrators, and is on record with their name', async () => {
    const id = await captured();
    expect((await refund(id, alice)).status).toBe(403);
    expect((await refund(id, support)).status).toBe(403);
    expect(await refund(id, admin, { amount: euros(98), reason: 'chipped' })).toMatchObject({
      ...{ status: 201, body: { status: 'succeeded', amount: euros(98) } },
    });
    const { items } = (await payments.call('GET', `/admin/audit?subject=${id}`, { token: admin }))
      .body;
    expect(items).toMatchObject([
      { action: 'refund.requested', actor: 'root', details: { amount: 98, reason: 'chipped' } },
    ]);
    expect((await payments.call('GET', '/admin/audit', { token: support })).status).toBe(403);
  });

  it.each([
    ['without a reason', {}],
    ['of nothing', { amount: euros(0), reason: 'x' }],
    ['of less than nothing', { amount: euros(-1), reason: 'x' }],
    ['of half a cent', { amount: euros(0.5), reason: 'x' }],
  ])('is refused %s', async (_what, body) => {
    expect((await refund(await captured(), admin, body)).status).toBe(400);
  });

  it('of a payment that does not exist is 404, and in another currency 422', async () => {
    expect((await refund(randomUUID(), admin)).status).toBe(404);
    const dollars = { amount: { amount: 1, currency: 'USD' }, reason: 'x' };
    expect((await refund(await captured(), admin, dollars)).body.code).toBe('currency_mismatch');
  });
});

it('never refunds more than was captured, whatever is asked at once and whatever is lost', async () => {
  const amounts = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });
  const share = fc.constantFrom(0, 0.3);
  await fc.assert(
    fc.asyncProperty(amounts, share, share, fc.nat(), async (asked, fail, lose, seed) => {
      await sandbox.chaos({});
      const id = await captured(1000);
      await sandbox.chaos({ failRefunds: fail, loseAnswers: lose, loseRequests: lose, seed });
      await Promise.all(asked.map((amount) => payments.refund(id, amount)));
      await sandbox.chaos({});
      const { refunds, refundedAmount } = await settledRefunds(id);
      const done = refunds.filter(({ status }) => status === 'succeeded');
      const sum = done.reduce((total, { amount }) => total + amount.amount, 0);
      const paid = await refundsAtProvider(id);
      expect(sum).toBeLessThanOrEqual(1000);
      expect(refundedAmount.amount).toBe(sum);
      expect(paid.reduce((total, { amount }) => total + amount, 0)).toBe(sum);
    }),
    { numRuns: 8 },
  );
}, 60_000);
