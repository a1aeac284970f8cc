import { createTestIssuer } from '@signet/auth-guard/testing';
import { startTestService } from '@signet/database/testing';
import type { TestService } from '@signet/database/testing';
import pg from 'pg';
import { inventoryConfig } from './config.js';
import { inventoryService } from './inventory-service.module.js';

const issuer = createTestIssuer({ audience: 'urn:signet:api' });
const warehouse = issuer.token({ subject: 'wendy', roles: ['warehouse'] });
const customer = issuer.token({ roles: ['customer'] });

const mug = { sku: 'MUG-1', name: 'Mug', price: { amount: 1299, currency: 'EUR' } };

describe('inventory', () => {
  let service: TestService;

  beforeEach(async () => {
    service = await startTestService(issuer, (environment) =>
      inventoryService(inventoryConfig(environment)),
    );
  });

  afterEach(() => service.close());

  const get = (url: string, token?: string) => service.get(url, token);

  const send = (method: 'POST' | 'PATCH', url: string, body: object, request = {}) =>
    service.send(method, url, { token: warehouse, body, ...request });

  const add = (product: object = {}) => send('POST', '/products', { ...mug, ...product });
  const stock = (delta: number, sku = 'MUG-1') =>
    send('POST', `/products/${sku}/stock`, { delta, reason: 'count' });

  it('shows anybody a product that the warehouse added', async () => {
    const created = await add({ attributes: { colour: 'blue', handles: 1 } });
    expect(created.statusCode).toBe(201);
    const read = await get('/products/MUG-1');
    expect(read.json()).toEqual({
      ...mug,
      attributes: { colour: 'blue', handles: 1 },
      active: true,
      available: 0,
    });
  });

  it('lets nobody but warehouse and admin change anything', async () => {
    await add();
    const attempts = await Promise.all([
      send('POST', '/products', mug, { token: customer }),
      send('PATCH', '/products/MUG-1', { name: 'Free' }, { token: customer }),
      send('POST', '/products/MUG-1/stock', { delta: 1, reason: 'mine' }, { token: customer }),
      get('/products/MUG-1/movements', customer),
    ]);
    expect(attempts.map(({ statusCode }) => statusCode)).toEqual([403, 403, 403, 403]);
    expect((await get('/products/MUG-1')).json()).toMatchObject({ name: 'Mug', available: 0 });
  });

  it('refuses a second product of the same SKU and keeps the first', async () => {
    await add();
    const second = await add({ name: 'Other' });
    expect(second.statusCode).toBe(409);
    expect(second.json()).toMatchObject({ code: 'sku_taken' });
    expect((await get('/products/MUG-1')).json()).toMatchObject({ name: 'Mug' });
  });

  it('adds a product once when the request is sent twice', async () => {
    const first = await send('POST', '/products', mug, { idempotencyKey: 'k' });
    const second = await send('POST', '/products', mug, { idempotencyKey: 'k' });
    expect(second.statusCode).toBe(201);
    expect(second.headers['idempotent-replayed']).toBe('true');
    expect(second.json()).toEqual(first.json());
  });

  it('demands an Idempotency-Key', async () => {
    const response = await send('POST', '/products', mug, { idempotencyKey: null });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: 'idempotency_key_required' });
  });

  it('changes the members that are given and no others', async () => {
    await add({ description: 'Stoneware' });
    const changed = await send('PATCH', '/products/MUG-1', {
      price: { amount: 999, currency: 'EUR' },
      description: null,
    });
    expect(changed.json()).toEqual({
      ...mug,
      price: { amount: 999, currency: 'EUR' },
      active: true,
      available: 0,
    });
  });

  it('lists in pages, active products only unless asked', async () => {
    for (const sku of ['C', 'A', 'B']) await add({ sku });
    await send('PATCH', '/products/B', { active: false });
    const first = (await get('/products?limit=1')).json<{ items: object[]; nextCursor: string }>();
    expect(first.items).toMatchObject([{ sku: 'A' }]);
    const second = (await get(`/products?limit=1&cursor=${first.nextCursor}`)).json<object>();
    expect(second).toMatchObject({ items: [{ sku: 'C' }], nextCursor: null });
    const some = (await get('/products?sku=C&sku=B')).json<object>();
    expect(some).toMatchObject({ items: [{ sku: 'C' }] });
  });

  it('keeps a ledger that sums to what is on hand', async () => {
    await add();
    await stock(10);
    const after = await stock(-3);
    expect(after.json()).toEqual({ sku: 'MUG-1', onHand: 7, reserved: 0, available: 7 });
    const ledger = (await get('/products/MUG-1/movements', warehouse)).json<{
      items: { delta: number; actor: string }[];
    }>();
    expect(ledger.items.map(({ delta }) => delta)).toEqual([-3, 10]);
    expect(ledger.items[0]).toMatchObject({ actor: 'wendy', reason: 'count' });
  });

  it('never takes away more than there is, however many try at once', async () => {
    await add();
    await stock(10);
    const answers = await Promise.all(Array.from({ length: 20 }, () => stock(-1)));
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(10);
    const refused = answers.filter(({ statusCode }) => statusCode === 409);
    expect(refused).toHaveLength(10);
    expect(refused[0]?.json()).toMatchObject({ code: 'insufficient_stock', available: 0 });
    expect((await get('/products/MUG-1')).json()).toMatchObject({ available: 0 });
  });

  it('refuses more stock than it can count', async () => {
    await add();
    const client = new pg.Client(service.databaseUrl);
    await client.connect();
    await client.query('update stock_levels set on_hand = 1000000000');
    await client.end();
    const response = await stock(1);
    expect(response.statusCode).toBe(409);
    expect(response.json()).toMatchObject({ code: 'stock_limit_exceeded' });
  });

  it.each([
    ['an unknown SKU', '/products/NOPE', 404, 'not_found'],
    ['a SKU that cannot be one', '/products/no%00pe', 400, 'validation_failed'],
    ['a forged cursor', '/products?cursor=bm9wZQ', 400, 'invalid_cursor'],
    ['a limit out of range', '/products?limit=1000', 400, 'validation_failed'],
    ['an unknown parameter', '/products?sort=price', 400, 'validation_failed'],
  ])('answers %s with what was expected', async (_what, url, status, code) => {
    const response = await get(url);
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ code });
  });

  it.each([
    ['a negative price', { price: { amount: -1, currency: 'EUR' } }],
    ['a fraction of a cent', { price: { amount: 9.99, currency: 'EUR' } }],
    ['a currency that is none', { price: { amount: 1, currency: 'euro' } }],
    ['an unknown member', { stock: 100 }],
    ['a SKU in small letters', { sku: 'mug' }],
  ])('refuses a product with %s and adds nothing', async (_what, product) => {
    const response = await add(product);
    expect(response.statusCode).toBe(400);
    expect((await get('/products')).json()).toEqual({ items: [], nextCursor: null });
  });
});
