import { startTestService } from '@signet/database/testing';
import type { TestService } from '@signet/database/testing';
import { randomUUID } from 'node:crypto';
import { ordersConfig } from './config.js';
import { ordersService } from './orders-service.module.js';
import { admin, alice, bob, issuer, support, surroundings } from './testing/shop.js';
import { StandInServices } from './testing/stand-in-services.js';

describe('orders', () => {
  let others: StandInServices;
  let service: TestService;

  beforeEach(async () => {
    others = new StandInServices();
    await others.start();
    // No checkout is to get anywhere: these are the orders as they were placed.
    others.fateOf = ({ path }) => (path.startsWith('/internal') ? 'lost' : undefined);
    service = await startTestService(issuer, (environment) =>
      ordersService(ordersConfig({ ...environment, ...surroundings(others) })),
    );
  });

  afterEach(async () => {
    await service.close();
    stopCatalogue();
  });

  const stopCatalogue = () => others.stop();

  const get = (url: string, token: string) => service.get(url, token);

  const post = (url: string, token: string, body?: object, idempotencyKey: string = randomUUID()) =>
    service.send('POST', url, { token, body, idempotencyKey });

  const place = (token = alice, items: object[] = [{ sku: 'MUG', quantity: 2 }], key?: string) =>
    post('/orders', token, { items, paymentMethod: 'tok_ok' }, key);

  const placed = async (token = alice) => (await place(token)).json<{ id: string }>().id;

  it('takes an order at the prices of the catalogue', async () => {
    const response = await place(alice, [
      { sku: 'MUG', quantity: 2 },
      { sku: 'TEA', quantity: 1 },
    ]);
    expect(response.statusCode).toBe(202);
    const order = response.json<{ id: string }>();
    expect(order).toMatchObject({
      status: 'pending',
      items: [
        { sku: 'MUG', name: 'Mug', quantity: 2, unitPrice: { amount: 1299, currency: 'EUR' } },
        { sku: 'TEA', name: 'Tea', quantity: 1, unitPrice: { amount: 450, currency: 'EUR' } },
      ],
      total: { amount: 3048, currency: 'EUR' },
    });
    expect((await get(`/orders/${order.id}`, alice)).json()).toEqual(order);
  });

  it('takes the largest order there can be, and shows it in every list', async () => {
    const response = await place(alice, [{ sku: 'CAR', quantity: 1000 }]);
    expect(response.statusCode).toBe(202);
    expect(response.json()).toMatchObject({ total: { amount: 1_000_000_000_000 } });
    expect((await get('/orders', alice)).statusCode).toBe(200);
    expect((await get('/admin/orders', support)).statusCode).toBe(200);
  });

  it('takes no card number, however it is written, and keeps none', async () => {
    for (const paymentMethod of [
      '4242424242424242',
      '4242 4242 4242 4242',
      '4000-0566-5566-5556',
    ]) {
      const body = { items: [{ sku: 'MUG', quantity: 1 }], paymentMethod };
      const refused = await post('/orders', alice, body);
      expect(refused.json()).toMatchObject({ status: 400, code: 'validation_failed' });
      expect(refused.body).not.toContain(paymentMethod);
    }
    expect((await get('/orders', alice)).json()).toMatchObject({ items: [] });
  });

  it('lists orders of any time that there is, and refuses others', async () => {
    for (const time of [
      '0000-01-01T00:00:00Z',
      '1969-12-31T23:59:59Z',
      '9999-12-31T23:59:59-01:00',
    ]) {
      for (const name of ['from', 'to']) {
        const query = new URLSearchParams({ [name]: time }).toString();
        expect((await get(`/orders?${query}`, alice)).statusCode).toBe(400);
        expect((await get(`/admin/orders?${query}`, admin)).statusCode).toBe(400);
      }
    }
    const all = 'from=1970-01-01T00:00:00Z&to=9999-12-31T23:59:59.999Z';
    expect((await get(`/orders?${all}`, alice)).statusCode).toBe(200);
  });

  it("takes no price from the customer's hand", async () => {
    const response = await place(alice, [
      { sku: 'MUG', quantity: 1, unitPrice: { amount: 1, currency: 'EUR' } },
    ]);
    expect(response.statusCode).toBe(400);
    expect(response.body).toContain('unitPrice');
  });

  it('places an order once when the request is sent twice, also when inventory is gone by then', async () => {
    const first = await place(alice, undefined, 'k');
    stopCatalogue();
    const second = await place(alice, undefined, 'k');
    expect(second.statusCode).toBe(202);
    expect(second.headers['idempotent-replayed']).toBe('true');
    expect(second.json()).toEqual(first.json());
    expect((await get('/orders', alice)).json<{ items: object[] }>().items).toHaveLength(1);
  });

  it('shows customers their own orders, newest first, in pages', async () => {
    const ids = [await placed(), await placed(), await placed()].reverse();
    await placed(bob);
    const first = (await get('/orders?limit=2', alice)).json<{
      items: { id: string }[];
      nextCursor: string;
    }>();
    const second = (await get(`/orders?limit=2&cursor=${first.nextCursor}`, alice)).json<{
      items: { id: string }[];
      nextCursor: null;
    }>();
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
    expect(second.nextCursor).toBeNull();
  });

  it("answers 404 for another customer's order, as for one that never was", async () => {
    const id = await placed(alice);
    const others = await get(`/orders/${id}`, bob);
    const nobodys = await get(`/orders/${randomUUID()}`, bob);
    const cancelled = await post(`/orders/${id}/cancel`, bob);
    expect([others.statusCode, nobodys.statusCode, cancelled.statusCode]).toEqual([404, 404, 404]);
    expect(others.json()).toEqual(nobodys.json());
    expect((await get(`/orders/${id}`, alice)).json()).toMatchObject({ status: 'pending' });
  });

  it("shows everyone's orders to support and admin, with whose they are", async () => {
    const id = await placed(bob);
    await placed(alice);
    const bobs = (await get('/admin/orders?customerId=bob', support)).json<object>();
    expect(bobs).toMatchObject({ items: [{ id, customerId: 'bob' }], nextCursor: null });
    expect((await get(`/admin/orders/${id}`, admin)).statusCode).toBe(200);
    expect((await get('/admin/orders', alice)).statusCode).toBe(403);
  });

  it('cancels an order once, and not one that is cancelled already', async () => {
    const id = await placed();
    const cancelled = await post(`/orders/${id}/cancel`, alice);
    expect(cancelled.json()).toMatchObject({
      status: 'cancelled',
      reason: 'cancelled by the customer',
    });
    const again = await post(`/orders/${id}/cancel`, alice);
    expect(again.statusCode).toBe(409);
    expect(again.json()).toMatchObject({ code: 'invalid_transition' });
  });

  it('ships what was confirmed and nothing else', async () => {
    const id = await placed();
    const response = await post(`/admin/orders/${id}/ship`, admin);
    expect(response.statusCode).toBe(409);
    expect(response.json<{ detail: string }>().detail).toBe(
      'The order is pending; only confirmed can become shipped.',
    );
  });

  it.each([
    ['a SKU that is not on sale', [{ sku: 'NOPE', quantity: 1 }], 422, 'product_unavailable'],
    [
      'two currencies',
      [
        { sku: 'MUG', quantity: 1 },
        { sku: 'HAT', quantity: 1 },
      ],
      422,
      'mixed_currencies',
    ],
    ['a negative quantity', [{ sku: 'MUG', quantity: -1 }], 400, 'validation_failed'],
    ['half a mug', [{ sku: 'MUG', quantity: 0.5 }], 400, 'validation_failed'],
    ['no items', [], 400, 'validation_failed'],
    [
      'the same SKU twice',
      [
        { sku: 'MUG', quantity: 1 },
        { sku: 'MUG', quantity: 1 },
      ],
      400,
      'validation_failed',
    ],
  ])('refuses an order with %s and keeps nothing', async (_what, items, status, code) => {
    const response = await place(alice, items);
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ code });
    expect((await get('/orders', alice)).json()).toEqual({ items: [], nextCursor: null });
  });

  it('answers 503 and keeps nothing when prices cannot be had', async () => {
    stopCatalogue();
    const response = await place();
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('2');
    expect(response.json()).toMatchObject({ code: 'inventory_unavailable' });
    expect((await get('/orders', alice)).json()).toMatchObject({ items: [] });
  });
});
