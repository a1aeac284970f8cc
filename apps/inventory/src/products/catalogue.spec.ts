import fc from 'fast-check';
import { TestInventory, tokens } from '../testing/inventory-service.js';

describe('the catalogue', () => {
  let inventory: TestInventory;

  beforeAll(async () => {
    inventory = await TestInventory.start();
    const eur = (amount: number) => ({ price: { amount, currency: 'EUR' } });
    await inventory.stocked('BOWL-3', 2, { ...eur(1999), name: 'Salad bowl' });
    await inventory.stocked('MUG-STONE-01', 5, {
      ...eur(1299),
      name: 'Stoneware mug',
      description: 'Holds 0.3 l of coffee/tea.',
      attributes: { colour: 'Forest-Green', handles: 1, gift: true },
    });
    await inventory.stocked('MUG-TIN-01', 0, {
      ...eur(799),
      name: 'Émaillé mug',
      attributes: { colour: 'blue', handles: '1', gift: false },
    });
    await inventory.stocked('OLD-MUG', 1, { ...eur(100), active: false });
    await inventory.stocked('US-MUG', 1, { price: { amount: 900, currency: 'USD' } });
  });

  afterAll(() => inventory.close());

  const search = (query: Record<string, string | string[]>, token?: string) => {
    const parameters = new URLSearchParams();
    for (const [name, values] of Object.entries(query)) {
      for (const value of [values].flat()) parameters.append(name, value);
    }
    return inventory.service.get(`/products?${parameters.toString()}`, token);
  };

  const found = async (query: Record<string, string | string[]>, token?: string) => {
    const answer = await search(query, token);
    expect(answer.statusCode).toBe(200);
    return answer.json<{ items: { sku: string }[] }>().items.map(({ sku }) => sku);
  };

  it.each([
    ['a word of the name', 'bowl', ['BOWL-3']],
    ['the beginning of one', 'stonew', ['MUG-STONE-01']],
    ['several, in any order and case', 'MUG Stone', ['MUG-STONE-01']],
    ['a part of the SKU', 'tin-01', ['MUG-TIN-01']],
    ['a word after a slash', 'tea', ['MUG-STONE-01']],
    ['an attribute', 'forest green', ['MUG-STONE-01']],
    ['a word with an accent', 'émail', ['MUG-TIN-01']],
    ['all that is sold of a kind', 'mug', ['MUG-STONE-01', 'MUG-TIN-01', 'US-MUG']],
    ['words that no product has together', 'salad mug', []],
    ['nothing but signs', '& | ! () : * \' " \\', []],
    ['an operator as a sign', "mug' | 'bowl", []],
  ])('is searched by %s', async (_what, q, skus) => {
    expect(await found({ q })).toEqual(skus);
  });

  it('answers whatever is looked for', async () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, async (q) => {
        expect([200, 400]).toContain((await search({ q })).statusCode);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps and finds words longer than any index would', async () => {
    const description = 'ä'.repeat(2000);
    await inventory.stocked('LONG', 0, { description });
    expect(await found({ q: description.slice(0, 150) })).toEqual(['LONG']);
    await inventory.send('PATCH', '/products/LONG', { active: false });
  });

  it.each([
    ['from a price', { currency: 'EUR', minPrice: '1299' }, ['BOWL-3', 'MUG-STONE-01']],
    ['up to a price', { currency: 'EUR', maxPrice: '1299' }, ['MUG-STONE-01', 'MUG-TIN-01']],
    ['in a currency', { currency: 'USD' }, ['US-MUG']],
    ['by attribute', { attribute: 'colour:blue' }, ['MUG-TIN-01']],
    ['by number', { attribute: 'handles:1' }, ['MUG-STONE-01', 'MUG-TIN-01']],
    ['by truth', { attribute: 'gift:true' }, ['MUG-STONE-01']],
    ['by several attributes', { attribute: ['handles:1', 'gift:false'] }, ['MUG-TIN-01']],
    ['by all of it', { q: 'mug', currency: 'EUR', attribute: 'gift:true' }, ['MUG-STONE-01']],
    ['by SKUs', { sku: ['US-MUG', 'BOWL-3', 'OLD-MUG'] }, ['BOWL-3', 'US-MUG']],
  ])('is filtered %s', async (_what, query, skus) => {
    expect(await found(query)).toEqual(skus);
  });

  it('pages through what was found', async () => {
    const first = await search({ q: 'mug', limit: '2' });
    const { nextCursor } = first.json<{ nextCursor: string }>();
    expect(await found({ q: 'mug', limit: '2', cursor: nextCursor })).toEqual(['US-MUG']);
  });

  it('shows what is not sold to its keepers alone', async () => {
    for (const token of [tokens.warehouse, tokens.admin]) {
      expect(await found({ active: 'false', q: 'mug' }, token)).toEqual(['OLD-MUG']);
      expect(await found({ active: 'all', q: 'mug' }, token)).toHaveLength(4);
    }
    for (const token of [undefined, tokens.customer, tokens.support, tokens.orders, 'expired']) {
      const answer = await search({ active: 'all' }, token);
      expect(answer.statusCode).toBe(403);
      expect(answer.json()).toMatchObject({ code: 'insufficient_scope' });
    }
  });

  it('shows one that is not sold to its keepers alone, and nobody else that it exists', async () => {
    const read = (sku: string, token?: string) => inventory.service.get(`/products/${sku}`, token);
    for (const token of [tokens.warehouse, tokens.admin]) {
      expect((await read('OLD-MUG', token)).json()).toMatchObject({ active: false });
    }
    const missing = (await read('NO-MUG')).json<object>();
    for (const token of [undefined, tokens.customer, tokens.support, tokens.orders, 'expired']) {
      const answer = await read('OLD-MUG', token);
      expect(answer.json()).toEqual(missing);
      expect(answer.headers.etag).toBeUndefined();
      expect((await read('BOWL-3', token)).json()).toMatchObject({ active: true });
    }
    expect(missing).toMatchObject({ status: 404 });
  });

  it('is open to whoever has a token that is no good', async () => {
    expect(await found({ sku: 'BOWL-3' }, 'expired')).toEqual(['BOWL-3']);
  });

  it.each([
    ['a price without a currency', { minPrice: '1' }],
    ['a negative price', { currency: 'EUR', minPrice: '-1' }],
    ['two prices for one', { currency: 'EUR', minPrice: ['1', '2'] }],
    ['a price in fractions', { currency: 'EUR', maxPrice: '9.99' }],
    ['an attribute without a value', { attribute: 'colour' }],
    ['more attributes than anyone needs', { attribute: Array<string>(11).fill('a:b') }],
    ['nothing to look for', { q: ' ' }],
    ['a control character', { q: 'mug\u0000' }],
  ])('refuses a query with %s', async (_what, query) => {
    const answer = await search(query);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'validation_failed' });
  });
});
