import { createTestIssuer } from '@signet/auth-guard/testing';
import { startTestService } from '@signet/database/testing';
import type { TestService } from '@signet/database/testing';
import { randomUUID } from 'node:crypto';
import { paymentsConfig } from './config.js';
import { paymentsService } from './payments-service.module.js';

const issuer = createTestIssuer({ audience: 'urn:signet:api' });
const orders = issuer.serviceToken({
  clientId: 'orders',
  audience: 'urn:signet:payments',
  scopes: ['payments:charge'],
});
const alice = issuer.token({ subject: 'alice', roles: ['customer'] });
const support = issuer.token({ roles: ['support'] });

describe('payments', () => {
  let service: TestService;

  beforeEach(async () => {
    service = await startTestService(issuer, (environment) =>
      paymentsService(paymentsConfig(environment)),
    );
  });

  afterEach(() => service.close());

  const get = (url: string, token: string) => service.get(url, token);

  const record = (change: object = {}, token = orders) =>
    service.send('POST', '/internal/payments', {
      token,
      body: {
        orderId: randomUUID(),
        customerId: 'alice',
        amount: { amount: 2598, currency: 'EUR' },
        paymentMethod: 'tok_ok',
        ...change,
      },
    });

  it('records what orders says, and shows it to the customer without the means of payment', async () => {
    const recorded = await record();
    expect(recorded.statusCode).toBe(201);
    const { id } = recorded.json<{ id: string }>();
    const read = await get(`/payments/${id}`, alice);
    expect(read.json()).toMatchObject({
      id,
      customerId: 'alice',
      amount: { amount: 2598, currency: 'EUR' },
      status: 'requires_confirmation',
    });
    expect(read.body).not.toContain('tok_ok');
  });

  it('hides a payment from other customers as if it did not exist, and shows it to support', async () => {
    const { id } = (await record()).json<{ id: string }>();
    const mallory = await get(`/payments/${id}`, issuer.token({ subject: 'mallory' }));
    const nobody = await get(`/payments/${randomUUID()}`, alice);
    expect(mallory.statusCode).toBe(404);
    expect(mallory.json()).toEqual(nobody.json());
    expect((await get(`/payments/${id}`, support)).statusCode).toBe(200);
  });

  it('refuses to record for a user, whatever the roles', async () => {
    const admin = issuer.token({ roles: ['admin'], scopes: ['payments:charge'] });
    expect((await record({}, admin)).statusCode).toBe(403);
  });

  it('refuses a service without the scope, or with a token for another service', async () => {
    const without = issuer.serviceToken({ audience: 'urn:signet:payments' });
    const elsewhere = issuer.serviceToken({
      audience: 'urn:signet:inventory',
      scopes: ['payments:charge'],
    });
    expect((await record({}, without)).statusCode).toBe(403);
    expect((await record({}, elsewhere)).statusCode).toBe(401);
  });

  it('records one payment for an order', async () => {
    const orderId = randomUUID();
    await record({ orderId });
    const second = await record({ orderId });
    expect(second.statusCode).toBe(409);
    expect(second.json()).toMatchObject({ code: 'order_has_payment' });
  });

  it('lists for support and admin, newest first, by customer or order', async () => {
    const ids: string[] = [];
    for (const customerId of ['alice', 'bob', 'alice']) {
      ids.unshift((await record({ customerId })).json<{ id: string }>().id);
    }
    const all = (await get('/admin/payments', support)).json<{ items: { id: string }[] }>();
    expect(all.items.map(({ id }) => id)).toEqual(ids);
    const bobs = (await get('/admin/payments?customerId=bob', support)).json<object>();
    expect(bobs).toMatchObject({ items: [{ id: ids[1] }], nextCursor: null });
    expect((await get('/admin/payments', alice)).statusCode).toBe(403);
  });

  it.each([
    ['nothing to pay', { amount: { amount: 0, currency: 'EUR' } }],
    ['a negative amount', { amount: { amount: -5, currency: 'EUR' } }],
    ['an order that is no id', { orderId: 'first' }],
    ['an unknown member', { captured: true }],
  ])('refuses %s and records nothing', async (_what, change) => {
    expect((await record(change)).statusCode).toBe(400);
    expect((await get('/admin/payments', support)).json()).toMatchObject({ items: [] });
  });
});
