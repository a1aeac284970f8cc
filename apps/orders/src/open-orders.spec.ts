import { randomUUID } from 'node:crypto';
import { admin, alice, bob, Shop, until } from './testing/shop.js';

const MOST = 3;

describe('orders whose checkout is not over', () => {
  let shop: Shop;

  beforeEach(async () => {
    shop = await Shop.open({ SIGNET_CHECKOUT_OPEN_PER_CUSTOMER: String(MOST) });
  });

  afterEach(() => shop.close());

  const order = (token: string, paymentMethod: string, idempotencyKey: string = randomUUID()) => {
    const body = { items: [{ sku: 'MUG', quantity: 1 }], paymentMethod };
    return shop.post('/orders', token, body, { idempotencyKey });
  };

  it('are so many of one customer at most, also when all are placed at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: MOST + 5 }, () => order(alice, 'tok_requires_review')),
    );
    const refused = answers.filter(({ statusCode }) => statusCode !== 202);
    expect(refused).toHaveLength(5);
    for (const { headers, json } of refused) {
      expect(json()).toMatchObject({ status: 429, code: 'too_many_open_orders' });
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    expect((await order(bob, 'tok_ok')).statusCode).toBe(202);
  });

  it('count as long as something has to be given back, though they are cancelled', async () => {
    const key = randomUUID();
    const { id } = (await order(alice, 'tok_requires_review', key)).json<{ id: string }>();
    for (let n = 1; n < MOST; n++) await order(alice, 'tok_requires_review');
    await until(() => shop.others.payments.byOrder.size === MOST);
    await shop.post(`/orders/${id}/cancel`, alice);
    expect((await order(alice, 'tok_ok')).statusCode).toBe(429);
    expect((await order(alice, 'tok_requires_review', key)).statusCode).toBe(202);
    shop.others.payments.settle();
    await until(async () => (await order(alice, 'tok_ok')).statusCode === 202);
  });

  it('do not count once they have stopped for a human', async () => {
    for (let n = 0; n < MOST; n++) {
      const { id } = (await order(alice, 'tok_ok')).json<{ id: string }>();
      await shop.becomes(id, 'confirmed');
      shop.others.payments.refundsFail = true;
      await shop.post(`/admin/orders/${id}/cancel`, admin);
      await shop.becomes(id, 'needs_attention');
    }
    expect((await order(alice, 'tok_ok')).statusCode).toBe(202);
  });
});
