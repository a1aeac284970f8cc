import { randomUUID } from 'node:crypto';
import {
  alice,
  euros,
  issuer,
  newPayment,
  startPayments,
  support,
} from '../testing/running-payments.js';
import type { RunningPayments } from '../testing/running-payments.js';
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

const authorized = async () => (await payments.authorize()).body.id;
const ledgerOf = async (id: string) =>
  (await sandbox.ledger()).entries.filter(({ reference }) => reference === id);

describe('a payment', () => {
  it('is authorized, then captured, and the customer sees it without the means of payment', async () => {
    const answer = await payments.authorize();
    const { id } = answer.body;
    expect(answer).toMatchObject({ status: 201, body: { status: 'requires_capture' } });
    expect(await payments.capture(id)).toMatchObject({
      status: 200,
      body: { status: 'succeeded', capturedAmount: euros(2598), refundedAmount: euros(0) },
    });
    const seen = await payments.call('GET', `/payments/${id}`, { token: alice });
    expect(seen.body).toMatchObject({ id, customerId: 'alice', status: 'succeeded', refunds: [] });
    expect(seen.text).not.toContain('tok_ok');
    expect(await ledgerOf(id)).toMatchObject([{ kind: 'authorized' }, { kind: 'captured' }]);
  });

  it('is declined with the provider’s reason, which is an answer and not an error', async () => {
    const { status, body } = await payments.authorize({ paymentMethod: 'tok_declined' });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { status: 'failed', reason: 'card_declined' },
    });
    expect(await payments.capture(body.id)).toMatchObject({
      status: 409,
      body: { code: 'payment_not_authorized', paymentStatus: 'failed' },
    });
    expect((await payments.void(body.id)).body.status).toBe('canceled');
  });

  it('is declined when the provider does not know the method', async () => {
    const { body } = await payments.authorize({ paymentMethod: 'tok_unheard_of' });
    expect(body).toMatchObject({ status: 'failed', reason: 'invalid_payment_method' });
  });

  it('is captured in part, and the rest is let go', async () => {
    const id = await authorized();
    expect((await payments.capture(id, 2599)).body.code).toBe('amount_exceeds_authorized');
    expect((await payments.capture(id, 1000)).body).toMatchObject({
      ...{ status: 'succeeded', amount: euros(2598), capturedAmount: euros(1000) },
    });
    expect((await payments.capture(id, 1000)).body.status).toBe('succeeded');
    expect((await payments.capture(id, 500)).body.code).toBe('payment_captured');
  });

  it('is voided once and for all, and never after the capture', async () => {
    const id = await authorized();
    expect(await payments.void(id)).toMatchObject({ status: 200, body: { status: 'canceled' } });
    expect(await payments.void(id)).toMatchObject({ status: 200, body: { status: 'canceled' } });
    expect((await payments.capture(id)).body.code).toBe('payment_not_authorized');
    const other = await authorized();
    await payments.capture(other);
    expect(await payments.void(other)).toMatchObject({
      ...{ status: 409, body: { code: 'payment_captured' } },
    });
  });

  it('is the only one of its order: the same request gets it again, another is refused', async () => {
    const body = newPayment();
    const first = await payments.authorize(body);
    const again = await payments.authorize(body);
    expect(again).toMatchObject({ status: 201, replayed: false, body: { id: first.body.id } });
    const other = await payments.authorize({ ...body, amount: euros(1) });
    expect(other).toMatchObject({ status: 409, body: { code: 'payment_exists' } });
    const { body: found } = await payments.call(
      'GET',
      `/internal/payments?orderId=${body.orderId}`,
    );
    expect(found.id).toBe(first.body.id);
    expect(await ledgerOf(first.body.id)).toHaveLength(1);
  });

  it('is authorized once for one Idempotency-Key, and for an order, however many ask at once', async () => {
    const body = newPayment();
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        payments.authorize(body, { key: index % 2 ? 'one-key' : randomUUID() }),
      ),
    );
    for (const { status, body: answer } of answers) {
      expect(status === 201 || answer.code === 'idempotency_key_in_use').toBe(true);
    }
    const repeated = await payments.authorize(body, { key: 'one-key' });
    expect(await ledgerOf(repeated.body.id)).toHaveLength(1);
  });

  it('is captured once, however many ask at once', async () => {
    const id = await authorized();
    await Promise.all(Array.from({ length: 8 }, () => payments.capture(id)));
    expect((await payments.settled(id)).capturedAmount).toEqual(euros(2598));
    expect(await ledgerOf(id)).toHaveLength(2);
  });

  it('is not captured in another currency', async () => {
    const id = await authorized();
    const body = { amount: { amount: 100, currency: 'USD' } };
    const answer = await payments.call('POST', `/internal/payments/${id}/capture`, { body });
    expect(answer).toMatchObject({ status: 422, body: { code: 'currency_mismatch' } });
  });
});

describe('when the provider’s answer is lost', () => {
  it('is processing, and neither captured nor voided, until the provider has been asked again', async () => {
    const { body } = await payments.authorize({ paymentMethod: 'tok_timeout' });
    expect(body.status).toBe('processing');
    expect((await payments.capture(body.id)).body.code).toBe('payment_processing');
    expect((await payments.void(body.id)).body.code).toBe('payment_processing');
    expect((await payments.settled(body.id)).status).toBe('requires_capture');
    expect(await ledgerOf(body.id)).toHaveLength(1);
  });

  it('asks for it when the request never arrived, and it happens once', async () => {
    await sandbox.chaos({ loseRequests: 1 });
    const { body } = await payments.authorize();
    expect(body.status).toBe('processing');
    await sandbox.chaos({});
    expect((await payments.settled(body.id)).status).toBe('requires_capture');
    expect(await ledgerOf(body.id)).toHaveLength(1);
  });

  it.each(['capture', 'void'] as const)('finds out what became of a %s', async (step) => {
    const id = await authorized();
    await sandbox.chaos({ loseAnswers: 1 });
    expect((await payments[step](id)).body.status).toBe('processing');
    await sandbox.chaos({});
    const end = step === 'capture' ? 'succeeded' : 'canceled';
    expect((await payments.settled(id)).status).toBe(end);
    expect(await ledgerOf(id)).toHaveLength(2);
  });

  it('takes an answer that is late for none, and then finds out', async () => {
    await sandbox.chaos({ delayAnswers: 1, delayMs: 900 });
    const { body } = await payments.authorize();
    expect(body.status).toBe('processing');
    await sandbox.chaos({});
    expect((await payments.settled(body.id)).status).toBe('requires_capture');
  });

  it('waits for a slow one, and for a review as long as it takes', async () => {
    await sandbox.chaos({ slowMs: 200, reviewMs: 1000 });
    expect((await payments.authorize({ paymentMethod: 'tok_slow' })).body.status).toBe(
      'requires_capture',
    );
    const { body } = await payments.authorize({ paymentMethod: 'tok_requires_review' });
    expect(body.status).toBe('processing');
    expect((await payments.settled(body.id)).status).toBe('requires_capture');
  });

  it('outlives the death of the provider, which forgets nothing', async () => {
    const id = await authorized();
    await sandbox.kill();
    expect((await payments.capture(id)).body.status).toBe('processing');
    await sandbox.start();
    expect((await payments.settled(id)).status).toBe('succeeded');
  });
});

describe('who may do what', () => {
  it('hides a payment from other customers as if it did not exist, and shows it to support', async () => {
    const id = await authorized();
    const mallory = issuer.token({ subject: 'mallory' });
    const hidden = await payments.call('GET', `/payments/${id}`, { token: mallory });
    const nothing = await payments.call('GET', `/payments/${randomUUID()}`, { token: alice });
    expect(hidden.status).toBe(404);
    expect(hidden.body).toEqual(nothing.body);
    expect((await payments.call('GET', `/payments/${id}`, { token: support })).status).toBe(200);
  });

  it('takes no user’s token on internal routes, and no service’s on the others', async () => {
    const id = await authorized();
    const admin = issuer.token({ roles: ['admin'], scopes: ['payments:charge'] });
    for (const path of ['', `/${id}/capture`, `/${id}/void`, `/${id}/refunds`]) {
      const answer = await payments.call('POST', `/internal/payments${path}`, { token: admin });
      expect(answer.status).toBe(403);
    }
    expect((await payments.call('GET', `/internal/payments/${id}`, { token: alice })).status).toBe(
      403,
    );
    expect((await payments.call('GET', `/payments/${id}`)).status).toBe(403);
    expect((await payments.call('GET', '/admin/payments')).status).toBe(403);
  });

  it('refuses a service without the scope, or with a token for another service', async () => {
    const without = issuer.serviceToken({ audience: 'urn:signet:payments' });
    const elsewhere = issuer.serviceToken({
      ...{ audience: 'urn:signet:inventory', scopes: ['payments:charge'] },
    });
    expect((await payments.authorize({}, { token: without })).status).toBe(403);
    expect((await payments.authorize({}, { token: elsewhere })).status).toBe(401);
  });

  it.each([
    ['nothing to pay', { amount: euros(0) }],
    ['a negative amount', { amount: euros(-5) }],
    ['an order that is no id', { orderId: 'first' }],
    ['an unknown member', { captured: true }],
    ['a card number', { paymentMethod: '4242 4242 4242 4242' }],
    ['a card number of 19 digits', { paymentMethod: '6304000000000000000' }],
  ])('refuses %s and records nothing', async (_what, change) => {
    const orderId = randomUUID();
    const answer = await payments.authorize({ orderId, ...change });
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(answer.text).not.toMatch(/4242|6304/);
    const found = await payments.call('GET', `/internal/payments?orderId=${orderId}`);
    expect(found.status).toBe(404);
  });
});
