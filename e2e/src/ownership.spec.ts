import { randomUUID } from 'node:crypto';
import { Client, world } from './system/world.ts';

const client = new Client(world());

describe("another customer's order", () => {
  let id: string;
  let owner: string;
  let stranger: string;

  beforeAll(async () => {
    owner = (await client.register()).access_token;
    stranger = (await client.register()).access_token;
    const sku = await client.newProduct();
    const placed = await client.call('orders', 'POST /orders', {
      token: owner,
      body: { items: [{ sku, quantity: 1 }], paymentMethod: 'tok_ok' },
    });
    expect(placed.status).toBe(202);
    id = placed.body.id as string;
  });

  it.each(['GET /orders/:id', 'POST /orders/:id/cancel'])(
    'does not exist: %s answers as for an order that never was',
    async (route) => {
      const theirs = await client.call('orders', route.replace(':id', id), { token: stranger });
      const nobodys = await client.call('orders', route.replace(':id', randomUUID()), {
        token: stranger,
      });
      expect(theirs.status).toBe(404);
      expect(theirs.body).toEqual(nobodys.body);
    },
  );

  it('is in no list of theirs, and stays as it was', async () => {
    const list = await client.call('orders', 'GET /orders', { token: stranger });
    expect(list.body).toEqual({ items: [], nextCursor: null });
    const own = await client.call('orders', `GET /orders/${id}`, { token: owner });
    expect(own.body).toMatchObject({ id });
    expect(['pending', 'confirmed']).toContain(own.body.status);
  });
});
