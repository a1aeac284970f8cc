import { Client, world } from './system/world.ts';

const client = new Client(world());

describe('bad input', () => {
  let token: string;

  beforeAll(async () => {
    token = (await client.register()).access_token;
  });

  const order = (body: unknown, headers = {}) =>
    client.call('orders', 'POST /orders', { token, body, headers });

  const good = { items: [{ sku: 'MUG-001', quantity: 1 }], paymentMethod: 'tok_ok' };

  it.each<[string, unknown, number, string]>([
    ['malformed JSON', '{"items": [', 400, 'bad_request'],
    ['no body', '', 400, 'bad_request'],
    ['a list instead of an object', [], 400, 'validation_failed'],
    ['wrong types', { items: 'MUG-001', paymentMethod: 7 }, 400, 'validation_failed'],
    ['unknown members', { ...good, total: { amount: 1 } }, 400, 'validation_failed'],
    ['a body of 1 MB', { ...good, note: 'x'.repeat(1_048_576) }, 413, 'payload_too_large'],
    [
      'a negative quantity',
      { ...good, items: [{ sku: 'MUG-001', quantity: -1 }] },
      400,
      'validation_failed',
    ],
    [
      'an unknown SKU',
      { ...good, items: [{ sku: 'NO-SUCH-SKU', quantity: 1 }] },
      422,
      'product_unavailable',
    ],
  ])('of the kind "%s" is refused with what was expected, and orders nothing', async (...row) => {
    const [, body, status, code] = row;
    const answer = await order(body);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.body.detail).toEqual(expect.any(String));
    const list = await client.call('orders', 'GET /orders', { token });
    expect(list.body).toEqual({ items: [], nextCursor: null });
  });

  it('without an Idempotency-Key is refused', async () => {
    const answer = await order(good, { 'idempotency-key': '' });
    expect(answer.body).toMatchObject({ status: 400, code: 'idempotency_key_required' });
  });

  it('says which media type it wanted', async () => {
    const answer = await order('<order/>', { 'content-type': 'application/xml' });
    expect(answer.status).toBe(415);
  });
});

describe('an unknown address and a wrong password', () => {
  it('are answered alike', async () => {
    const { email } = await client.register();
    const logIn = (address: string) =>
      client.call('auth', 'POST /auth/login', {
        body: { email: address, password: 'not the password' },
      });
    const wrong = await logIn(email);
    const unknown = await logIn('nobody@example.com');
    expect(wrong.status).toBe(401);
    expect(unknown.status).toBe(401);
    expect(unknown.body).toEqual(wrong.body);
  });
});
