import { randomUUID } from 'node:crypto';
import { TestInventory, tokens } from '../testing/inventory-service.js';

describe('a product that several people edit', () => {
  let inventory: TestInventory;

  beforeAll(async () => {
    inventory = await TestInventory.start();
  });

  afterAll(() => inventory.close());

  beforeEach(async () => {
    await inventory.empty();
    await inventory.stocked('MUG', 10);
  });

  const read = (headers = {}) => inventory.service.app.inject({ url: '/products/MUG', headers });
  const tag = async () => String((await read()).headers.etag);

  const edit = (body: object, ifMatch?: string) =>
    inventory.service.app.inject({
      method: 'PATCH',
      url: '/products/MUG',
      payload: body,
      headers: {
        authorization: `Bearer ${tokens.warehouse}`,
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
      },
    });

  it('is changed by whoever has seen its last edit, and by nobody else', async () => {
    const seen = await tag();
    const first = await edit({ name: 'Mug of Ada' }, seen);
    expect(first.statusCode).toBe(200);
    expect(first.headers.etag).toBe(await tag());
    const second = await edit({ name: 'Mug of Bob' }, seen);
    expect(second.statusCode).toBe(412);
    expect(second.json()).toMatchObject({ code: 'precondition_failed' });
    expect((await read()).json()).toMatchObject({ name: 'Mug of Ada' });
  });

  it('is changed by one of many who saw the same', async () => {
    const seen = await tag();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => edit({ name: `Mug ${index}` }, seen)),
    );
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(1);
    expect(answers.filter(({ statusCode }) => statusCode === 412)).toHaveLength(9);
  });

  it('is changed without a condition too', async () => {
    await edit({ name: 'Cup' });
    expect((await edit({ name: 'Jar' })).json()).toMatchObject({ name: 'Jar' });
    expect((await edit({ name: 'Pot' }, '*')).statusCode).toBe(200);
  });

  it('may be sold while it is edited', async () => {
    const seen = await tag();
    await inventory.hold(randomUUID(), { MUG: 1 });
    expect((await edit({ name: 'Cup' }, seen)).statusCode).toBe(200);
  });

  it('need not be read again until it is edited or sold', async () => {
    const seen = await tag();
    expect((await read({ 'if-none-match': seen })).statusCode).toBe(304);
    await inventory.hold(randomUUID(), { MUG: 1 });
    const sold = await read({ 'if-none-match': seen });
    expect(sold.json()).toMatchObject({ available: 9 });
    await edit({ name: 'Cup' });
    expect((await read({ 'if-none-match': await tag() })).statusCode).toBe(304);
    expect((await read({ 'if-none-match': String(sold.headers.etag) })).statusCode).toBe(200);
  });

  it('keeps its version when an edit changes nothing', async () => {
    const seen = await tag();
    expect((await edit({ name: 'MUG', active: true })).headers.etag).toBe(seen);
  });

  it('is not changed under a condition that cannot be read', async () => {
    const answer = await edit({ name: 'Cup' }, 'seven');
    expect(answer.statusCode).toBe(400);
    expect((await read()).json()).toMatchObject({ name: 'MUG' });
  });

  it('is not found when it is not there', async () => {
    const answer = await inventory.send('PATCH', '/products/NOPE', { name: 'Cup' });
    expect(answer.statusCode).toBe(404);
  });
});

describe('the audit log of inventory', () => {
  let inventory: TestInventory;

  beforeAll(async () => {
    inventory = await TestInventory.start();
  });

  afterAll(() => inventory.close());

  const entries = async (query: string) => {
    const answer = await inventory.service.get(`/admin/audit?${query}`, tokens.admin);
    return answer.json<{ items: object[] }>().items;
  };

  it('says who changed what of a product and its stock, from what to what', async () => {
    await inventory.stocked('MUG', 10, { description: 'Blue' });
    const token = tokens.admin;
    await inventory.send('PATCH', '/products/MUG', { name: 'Cup', description: null }, { token });
    await inventory.adjust('MUG', -3);
    expect(await entries('subject=MUG')).toMatchObject([
      {
        action: 'stock.adjusted',
        actor: 'wendy',
        address: '127.0.0.1',
        details: { reason: 'count', before: { onHand: 10 }, after: { onHand: 7 } },
      },
      {
        action: 'product.changed',
        actor: 'ada',
        details: {
          before: { name: 'MUG', description: 'Blue' },
          after: { name: 'Cup', description: null },
        },
      },
      { action: 'stock.adjusted', details: { before: { onHand: 0 }, after: { onHand: 10 } } },
      {
        action: 'product.created',
        actor: 'wendy',
        details: { after: { sku: 'MUG', price: { amount: 1299, currency: 'EUR' } } },
      },
    ]);
    expect(await entries('subject=MUG&action=product.changed')).toHaveLength(1);
  });

  it('says nothing of what did not happen', async () => {
    await inventory.stocked('PLATE', 1);
    await inventory.stocked('PLATE', 1);
    await inventory.adjust('PLATE', -10);
    await inventory.send('PATCH', '/products/PLATE', { name: 'PLATE' });
    expect(await entries('subject=PLATE&action=product.created')).toHaveLength(1);
    expect(await entries('subject=PLATE&action=product.changed')).toHaveLength(0);
    expect(await entries('subject=PLATE&action=stock.adjusted')).toHaveLength(2);
  });

  it.each(['warehouse', 'support', 'customer', 'orders'] as const)(
    'is closed to %s',
    async (who) => {
      const answer = await inventory.service.get('/admin/audit', tokens[who]);
      expect(answer.statusCode).toBe(403);
    },
  );

  it('is closed to strangers', async () => {
    expect((await inventory.service.get('/admin/audit')).statusCode).toBe(401);
  });
});
