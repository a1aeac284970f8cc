import { setTimeout as sleep } from 'node:timers/promises';
import { Client, world } from './system/world.ts';
import type { Answer } from './system/world.ts';

const client = new Client(world());

describe('a checkout', () => {
  let customer: string;
  let admin: string;
  let warehouse: string;

  beforeEach(async () => {
    [customer, admin, warehouse] = await Promise.all([
      client.register().then(({ access_token }) => access_token),
      client.tokenOf('admin'),
      client.tokenOf('warehouse'),
    ]);
  });

  const place = async (sku: string, paymentMethod: string, quantity = 2): Promise<string> => {
    const body = { items: [{ sku, quantity }], paymentMethod };
    const placed = await client.call('orders', 'POST /orders', { token: customer, body });
    expect(placed.body).toMatchObject({ status: 'pending' });
    return placed.body.id as string;
  };

  const read = (id: string) => client.call('orders', `GET /orders/${id}`, { token: customer });

  const act = (id: string, action: string, body?: object) =>
    client.call('orders', `POST /admin/orders/${id}/${action}`, { token: admin, body });

  async function settled(id: string, while_ = 'pending'): Promise<Answer['body']> {
    for (;;) {
      const { body } = await read(id);
      if (body.status !== while_) return body;
      await sleep(100);
    }
  }

  /** What inventory's ledger says has become of a product's stock. */
  async function stock(sku: string): Promise<{ onHand: number; reserved: number }> {
    const { body } = await client.call('inventory', `GET /products/${sku}/movements`, {
      token: warehouse,
    });
    const movements = body.items as { delta: number; reservedDelta: number }[];
    const sum = (member: 'delta' | 'reservedDelta') =>
      movements.reduce((total, movement) => total + movement[member], 0);
    return { onHand: sum('delta'), reserved: sum('reservedDelta') };
  }

  async function payments(orderId: string): Promise<Answer['body'][]> {
    const list = await client.call('payments', `GET /admin/payments?orderId=${orderId}`, {
      token: admin,
    });
    return list.body.items as Answer['body'][];
  }

  it.each(['tok_ok', 'tok_slow', 'tok_timeout', 'tok_requires_review'])(
    'with %s is confirmed, paid for once, and has its goods',
    async (method) => {
      const sku = await client.newProduct(10);
      const id = await place(sku, method);
      expect(await settled(id)).toMatchObject({ status: 'confirmed' });
      expect(await payments(id)).toMatchObject([
        { status: 'succeeded', capturedAmount: { amount: 2598 }, refundedAmount: { amount: 0 } },
      ]);
      expect(await stock(sku)).toEqual({ onHand: 8, reserved: 0 });
    },
  );

  it('with a card that is declined is rejected with the reason, and holds nothing', async () => {
    const sku = await client.newProduct(10);
    const id = await place(sku, 'tok_declined');
    const order = await settled(id);
    expect(order).toMatchObject({ status: 'rejected' });
    expect(order.reason).toMatch(/declined/);
    expect(await payments(id)).toMatchObject([{ status: 'failed', capturedAmount: { amount: 0 } }]);
    expect(await stock(sku)).toEqual({ onHand: 10, reserved: 0 });
  });

  it('of more than there is is rejected, and says of what there was not enough', async () => {
    const sku = await client.newProduct(1);
    const order = await settled(await place(sku, 'tok_ok'));
    expect(order).toMatchObject({ status: 'rejected' });
    expect(order.reason).toContain(sku);
  });

  it('that an administrator cancels afterwards gives back the money and the goods', async () => {
    const sku = await client.newProduct(10);
    const id = await place(sku, 'tok_ok');
    await settled(id);
    expect((await act(id, 'cancel')).body).toMatchObject({ status: 'cancelled' });
    while ((await stock(sku)).onHand !== 10) await sleep(100);
    expect(await payments(id)).toMatchObject([{ refundedAmount: { amount: 2598 } }]);
    expect((await read(id)).body).toMatchObject({ status: 'cancelled' });
  });

  it('that its customer cancels while the payment is under review holds nothing in the end', async () => {
    const sku = await client.newProduct(10);
    const id = await place(sku, 'tok_requires_review');
    const cancelled = await client.call('orders', `POST /orders/${id}/cancel`, { token: customer });
    expect(cancelled.body).toMatchObject({ status: 'cancelled' });
    const over = async () => (await payments(id)).every(({ status }) => status === 'canceled');
    while (!(await over()) || (await stock(sku)).reserved > 0) await sleep(100);
    expect(await stock(sku)).toEqual({ onHand: 10, reserved: 0 });
    expect((await read(id)).body).toMatchObject({ status: 'cancelled' });
  });

  it('whose goods were shipped is refunded once, and the goods stay out', async () => {
    const sku = await client.newProduct(10);
    const id = await place(sku, 'tok_ok');
    await settled(id);
    expect((await act(id, 'ship')).body).toMatchObject({ status: 'shipped' });
    const twice = await Promise.all([
      act(id, 'refund', { reason: 'arrived broken' }),
      act(id, 'refund', { reason: 'arrived broken' }),
    ]);
    expect(twice.map(({ status }) => status).sort()).toEqual([202, 409]);
    expect(await settled(id, 'shipped')).toMatchObject({ status: 'refunded' });
    expect(await payments(id)).toMatchObject([{ refundedAmount: { amount: 2598 } }]);
    expect(await stock(sku)).toEqual({ onHand: 8, reserved: 0 });
  });

  it('leaves a record of who did what for whom', async () => {
    const id = await place(await client.newProduct(10), 'tok_ok');
    await settled(id);
    await act(id, 'ship');
    const audit = await client.call('orders', `GET /admin/audit?subject=${id}`, { token: admin });
    expect(audit.body.items).toMatchObject([
      {
        action: 'order.shipped',
        details: { before: { status: 'confirmed' }, after: { status: 'shipped' } },
      },
      { action: 'order.confirmed', actor: null, details: { onBehalfOf: { roles: ['customer'] } } },
    ]);
  });
});
