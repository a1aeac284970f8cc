import { randomUUID } from 'node:crypto';
import { alice, issuer, startPayments, support } from '../testing/running-payments.js';
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

describe('the list of all payments', () => {
  it('is for support and admin, newest first, by customer, order and status', async () => {
    const customerId = randomUUID();
    const { body: first } = await payments.authorize({ customerId });
    const { body: second } = await payments.authorize({
      customerId,
      paymentMethod: 'tok_declined',
    });
    const list = async (query: string) => {
      const path = `/admin/payments?customerId=${customerId}${query}`;
      return (await payments.call('GET', path, { token: support })).body.items.map(({ id }) => id);
    };
    expect(await list('')).toEqual([second.id, first.id]);
    expect(await list('&status=failed')).toEqual([second.id]);
    expect(await list('&status=processing')).toEqual([]);
    expect(await list(`&orderId=${first.orderId}`)).toEqual([first.id]);
    expect((await payments.call('GET', '/admin/payments', { token: alice })).status).toBe(403);
  });
});

it('has every way in the OpenAPI document in which asking for the payment of an order ends', async () => {
  const missing = await payments.call('GET', `/internal/payments?orderId=${randomUUID()}`);
  const document = (await payments.service.get('/docs/json')).json<{
    paths: Record<string, Record<string, { responses: object }>>;
  }>();
  const statuses = document.paths['/internal/payments']?.get?.responses;
  expect(statuses).toHaveProperty(String(missing.status));
});

describe("a customer's list", () => {
  it('has their own payments and nobody else’s, newest first, page by page', async () => {
    const customerId = randomUUID();
    const token = issuer.token({ subject: customerId, roles: ['customer'] });
    const page = async (query: string) =>
      (await payments.call('GET', `/payments?limit=2${query}`, { token })).body;
    const ids: string[] = [];
    for (let made = 0; made < 3; made++) {
      const { body } = await payments.authorize({ customerId });
      ids.unshift(body.id);
      await payments.authorize({ customerId: 'alice' });
    }
    const first = await page('');
    const second = await page(`&cursor=${first.nextCursor}`);
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
    expect(second.nextCursor).toBeNull();
    expect((await page('&status=succeeded')).items).toEqual([]);
  });

  it('is nobody else’s to ask for, and not for staff', async () => {
    const others = '/payments?customerId=alice';
    const mallory = issuer.token({ subject: 'mallory', roles: ['customer'] });
    expect((await payments.call('GET', others, { token: mallory })).status).toBe(400);
    expect((await payments.call('GET', '/payments', { token: mallory })).body.items).toEqual([]);
    expect((await payments.call('GET', '/payments', { token: support })).status).toBe(403);
    expect((await payments.call('GET', '/payments')).status).toBe(403);
  });
});
