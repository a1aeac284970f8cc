import { decodeJwt, decodeProtectedHeader } from 'jose';
import { Client, world } from './system/world.ts';

const client = new Client(world());

describe('one token', () => {
  it("opens every service: an administrator's, got once, calls all four", async () => {
    const token = await client.tokenOf('admin');
    const sku = await client.newProduct();
    const answers = await Promise.all([
      client.call('auth', 'GET /admin/users', { token }),
      client.call('orders', 'GET /admin/orders', { token }),
      client.call('payments', 'GET /admin/payments', { token }),
      client.call('inventory', `GET /products/${sku}/movements`, { token }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it('takes a customer from registration to an order, at the price of the catalogue', async () => {
    const { access_token: token, email } = await client.register();
    const me = await client.call('auth', 'GET /auth/me', { token });
    expect(me.body).toMatchObject({ email, roles: ['customer'] });

    const sku = await client.newProduct();
    const placed = await client.call('orders', 'POST /orders', {
      token,
      body: { items: [{ sku, quantity: 2 }], paymentMethod: 'tok_ok' },
    });
    expect(placed.status).toBe(202);
    expect(placed.body).toMatchObject({
      status: 'pending',
      total: { amount: 2598, currency: 'EUR' },
    });
    const own = await client.call('orders', 'GET /orders', { token });
    expect(own.body).toMatchObject({ items: [{ id: placed.body.id }], nextCursor: null });
  });

  it('is a JWT with the claims of RFC 9068 and the roles, and nothing else about the person', async () => {
    const { access_token } = await client.register();
    const payload = decodeJwt(access_token);
    expect(decodeProtectedHeader(access_token)).toEqual({
      alg: 'RS256',
      typ: 'at+jwt',
      kid: expect.any(String) as string,
    });
    expect(Object.keys(payload).sort()).toEqual(
      'acr amr aud auth_time client_id exp iat iss jti roles scope sid sub'.split(' '),
    );
    expect(payload).toMatchObject({ aud: 'urn:signet:api', roles: ['customer'] });
  });
});
