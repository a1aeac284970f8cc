import type { System } from '@signet/launcher';
import { setTimeout as sleep } from 'node:timers/promises';
import { Shopper } from './chaos/shopper.ts';
import { startThrowAwaySystem } from './system/throw-away-system.ts';
import { clientOf } from './system/world.ts';
import type { Answer } from './system/world.ts';

const UNITS = 100;
const CUSTOMERS = 50;
const ORDERS_EACH = 20;
const SETTLED_WITHIN_MS = 240_000;

jest.setTimeout(SETTLED_WITHIN_MS + 120_000);

describe('a rush of 1,000 orders for 100 units, on two replicas each of orders and inventory', () => {
  let system: System;
  let shoppers: [Shopper, ...Shopper[]];
  let sku: string;
  let admin: string;
  let placed: Answer[];
  let outcomes: Record<string, unknown>[];

  beforeAll(async () => {
    system = await startThrowAwaySystem();
    const inventory = await system.startReplica('inventory');
    const orders = await system.startReplica('orders', {
      environment: (own) => ({ ...own, SIGNET_INVENTORY_URL: inventory.url }),
    });
    const client = clientOf(system);
    const other = clientOf(system, { orders: orders.url, inventory: inventory.url });
    shoppers = [new Shopper(client), new Shopper(other)];
    sku = await client.newProduct(UNITS);
    admin = await client.tokenOf('admin');
    const customers: string[] = [];
    for (let count = 0; count < CUSTOMERS; count += 1) {
      customers.push((await client.register()).access_token);
    }
    placed = (await Promise.all(customers.map((token, index) => rush(token, index)))).flat();
    outcomes = await settled();
  });

  afterAll(() => system.stop());

  const withStatus = (status: string) => outcomes.filter((order) => order.status === status);

  it('takes every order', () => {
    expect(placed).toHaveLength(CUSTOMERS * ORDERS_EACH);
    expect(new Set(placed.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(placed.map(({ body }) => body.id)).size).toBe(CUSTOMERS * ORDERS_EACH);
  });

  it('confirms exactly as many as there are units', () => {
    expect(withStatus('confirmed')).toHaveLength(UNITS);
  });

  it('rejects the others and says that the stock ran out', () => {
    const rejected = withStatus('rejected');
    expect(rejected).toHaveLength(CUSTOMERS * ORDERS_EACH - UNITS);
    for (const { reason } of rejected) expect(reason).toMatch(/stock/i);
  });

  it('leaves a ledger that adds up and nothing reserved', async () => {
    const [shopper] = shoppers;
    const movements = await shopper.list('inventory', `/products/${sku}/movements`, admin);
    const total = (field: string) =>
      movements.reduce((sum, movement) => sum + (movement[field] as number), 0);
    const { body } = await shopper.read('inventory', `/products/${sku}`);
    expect([total('delta'), total('reservedDelta'), body.available]).toEqual([0, 0, 0]);
  });

  it('takes money for the confirmed ones alone', async () => {
    const payments = await shoppers[0].list('payments', '/admin/payments', admin);
    const ids = new Set(withStatus('confirmed').map(({ id }) => id));
    const succeeded = payments.filter(({ status }) => status === 'succeeded');
    expect(succeeded).toHaveLength(UNITS);
    expect(succeeded.every(({ orderId }) => ids.has(orderId))).toBe(true);
  });

  /** All of a customer's orders at once, by turns on both replicas. */
  function rush(token: string, customer: number): Promise<Answer[]> {
    const body = { items: [{ sku, quantity: 1 }], paymentMethod: 'tok_ok' };
    const order = async (_: unknown, index: number) => {
      const shopper = shoppers[(customer + index) % 2] ?? shoppers[0];
      return (await shopper.post('orders', '/orders', body, token)).answer;
    };
    return Promise.all(Array.from({ length: ORDERS_EACH }, order));
  }

  async function settled(): Promise<Record<string, unknown>[]> {
    const deadline = Date.now() + SETTLED_WITHIN_MS;
    for (;;) {
      const { body } = await shoppers[0].read(
        'orders',
        '/admin/orders?status=pending&limit=1',
        admin,
      );
      const pending = (body.items as unknown[]).length > 0;
      if (!pending || Date.now() > deadline)
        return shoppers[0].list('orders', '/admin/orders', admin);
      await sleep(500);
    }
  }
});
