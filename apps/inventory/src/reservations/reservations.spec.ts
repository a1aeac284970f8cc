import { randomUUID } from 'node:crypto';
import { TestInventory, tokens } from '../testing/inventory-service.js';

describe('a reservation', () => {
  let inventory: TestInventory;
  let order: string;

  beforeAll(async () => {
    inventory = await TestInventory.start();
  });

  afterAll(() => inventory.close());

  beforeEach(async () => {
    await inventory.empty();
    order = randomUUID();
    await inventory.stocked('MUG', 10);
    await inventory.stocked('PLATE', 5);
  });

  afterEach(async () => {
    expect(await inventory.unbalanced()).toEqual([]);
  });

  const mugs = () => inventory.level('MUG');

  async function counts(): Promise<number[]> {
    const { body } = await inventory.service.get('/metrics');
    const refusals = Number(/inventory_oversell_refusals_total (\d+)/.exec(body)?.[1]);
    return [await inventory.counted('held'), await inventory.counted('expired'), refusals];
  }

  /** Brings the order's reservation to a status. */
  async function bring(status: string): Promise<void> {
    await inventory.hold(order, { MUG: 3, PLATE: 1 });
    if (status === 'lapsed') await inventory.lapse(order);
    if (status === 'committed' || status === 'returned') await inventory.act(order, 'commit');
    if (status === 'returned') await inventory.act(order, 'return');
    if (status === 'released') await inventory.release(order);
    if (status === 'expired') {
      await inventory.lapse(order);
      await inventory.release(order);
    }
  }

  it('holds what was asked, and takes it out of what others can order', async () => {
    const held = await inventory.hold(order, { PLATE: 1, MUG: 3 });
    expect(held.statusCode).toBe(200);
    expect(held.json()).toEqual({
      orderId: order,
      status: 'held',
      items: [
        { sku: 'MUG', quantity: 3 },
        { sku: 'PLATE', quantity: 1 },
      ],
      expiresAt: expect.any(String) as string,
    });
    expect((await inventory.service.get('/products/MUG')).json()).toMatchObject({ available: 7 });
    expect((await inventory.read(order)).json()).toEqual(held.json());
  });

  it('is the same when the same is held again, in whatever order', async () => {
    const first = await inventory.hold(order, { MUG: 3, PLATE: 1 });
    const again = await inventory.hold(order, { PLATE: 1, MUG: 3 }, { expiresIn: 60 });
    expect(again.json()).toEqual(first.json());
    expect(await mugs()).toEqual({ onHand: 10, reserved: 3 });
  });

  it.each<Record<string, number>>([{ MUG: 2 }, { MUG: 3 }, { MUG: 3, PLATE: 2 }])(
    'is not exchanged for other items: %j',
    async (others) => {
      await bring('held');
      const answer = await inventory.hold(order, others);
      expect(answer.statusCode).toBe(409);
      expect(answer.json()).toMatchObject({ code: 'reservation_conflict' });
      expect(await mugs()).toEqual({ onHand: 10, reserved: 3 });
    },
  );

  it('holds nothing when one item is short, and says which', async () => {
    const answer = await inventory.hold(order, { MUG: 11, PLATE: 5 });
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({
      code: 'insufficient_stock',
      shortages: [{ sku: 'MUG', requested: 11, available: 10 }],
    });
    expect(await inventory.level('PLATE')).toEqual({ onHand: 5, reserved: 0 });
    expect((await inventory.read(order)).statusCode).toBe(404);
    expect((await inventory.hold(order, { MUG: 10 })).statusCode).toBe(200);
  });

  it('is refused for what is not sold, and names it', async () => {
    await inventory.stocked('OLD', 5, { active: false });
    const answer = await inventory.hold(order, { MUG: 1, NOPE: 1, OLD: 1 });
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({ code: 'unknown_sku', skus: ['NOPE', 'OLD'] });
    expect(await mugs()).toEqual({ onHand: 10, reserved: 0 });
  });

  it('lasts longer when extended, and never shorter', async () => {
    await inventory.hold(order, { MUG: 1 }, { expiresIn: 600 });
    const end = async (expiresIn: number) => {
      const answer = await inventory.act(order, 'extend', { expiresIn });
      return Date.parse(answer.json<{ expiresAt: string }>().expiresAt);
    };
    const before = await end(30);
    const later = await end(3600);
    expect(later).toBeGreaterThan(before + 2_500_000);
    expect(await end(60)).toBe(later);
  });

  it('once committed is sold, however often it is committed', async () => {
    await bring('held');
    for (let time = 0; time < 3; time++) {
      const answer = await inventory.act(order, 'commit');
      expect(answer.json()).toMatchObject({ orderId: order, status: 'committed' });
    }
    expect(await mugs()).toEqual({ onHand: 7, reserved: 0 });
  });

  it('once released is free, however often it is released', async () => {
    await bring('held');
    for (let time = 0; time < 3; time++) {
      expect((await inventory.release(order)).statusCode).toBe(204);
    }
    expect(await mugs()).toEqual({ onHand: 10, reserved: 0 });
  });

  it('once returned is on hand, however often it is returned', async () => {
    await bring('committed');
    for (let time = 0; time < 3; time++) {
      expect((await inventory.act(order, 'return')).json()).toMatchObject({ status: 'returned' });
    }
    expect(await mugs()).toEqual({ onHand: 10, reserved: 0 });
  });

  it('cannot be committed past its end, though nobody has swept it yet', async () => {
    await bring('lapsed');
    const answer = await inventory.act(order, 'commit');
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({ code: 'reservation_expired' });
    expect((await inventory.read(order)).json()).toMatchObject({ status: 'expired' });
    expect(await mugs()).toEqual({ onHand: 10, reserved: 3 });
  });

  it.each([
    ['lapsed', 'extend', 'reservation_expired'],
    ['expired', 'extend', 'reservation_expired'],
    ['expired', 'commit', 'reservation_expired'],
    ['released', 'extend', 'reservation_closed'],
    ['released', 'commit', 'reservation_closed'],
    ['committed', 'extend', 'reservation_closed'],
    ['returned', 'extend', 'reservation_closed'],
    ['returned', 'commit', 'reservation_closed'],
    ['held', 'return', 'reservation_not_committed'],
    ['lapsed', 'return', 'reservation_not_committed'],
    ['expired', 'return', 'reservation_not_committed'],
    ['released', 'return', 'reservation_not_committed'],
  ])('that is %s refuses %s as %s and moves nothing', async (status, action, code) => {
    await bring(status);
    const before = await mugs();
    const answer = await inventory.act(
      order,
      action,
      action === 'extend' ? { expiresIn: 60 } : undefined,
    );
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({
      code,
      reservationStatus: status === 'lapsed' ? 'expired' : status,
    });
    expect(await mugs()).toEqual(before);
  });

  it.each(['lapsed', 'expired', 'released', 'committed', 'returned'])(
    'that is %s lets its order hold nothing again',
    async (status) => {
      await bring(status);
      const answer = await inventory.hold(order, { MUG: 3, PLATE: 1 });
      expect(answer.statusCode).toBe(409);
      expect(answer.json()).toMatchObject({
        code: 'reservation_closed',
        reservationStatus: status === 'lapsed' ? 'expired' : status,
      });
    },
  );

  it('that is committed is not released', async () => {
    await bring('committed');
    const answer = await inventory.release(order);
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({ code: 'reservation_committed' });
    expect(await mugs()).toEqual({ onHand: 7, reserved: 0 });
  });

  it.each(['lapsed', 'returned'])('that is %s has nothing left after a release', async (status) => {
    await bring(status);
    expect((await inventory.release(order)).statusCode).toBe(204);
    expect(await mugs()).toEqual({ onHand: 10, reserved: 0 });
  });

  it('released before it arrived is refused when it arrives', async () => {
    expect((await inventory.release(order)).statusCode).toBe(204);
    const answer = await inventory.hold(order, { MUG: 1 });
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({
      code: 'reservation_closed',
      reservationStatus: 'released',
    });
    expect(await mugs()).toEqual({ onHand: 10, reserved: 0 });
  });

  it.each([
    ['extend', { expiresIn: 60 }],
    ['commit', undefined],
    ['return', undefined],
  ])('that does not exist has no %s', async (action, body) => {
    expect((await inventory.act(order, action, body)).statusCode).toBe(404);
    expect((await inventory.read(order)).statusCode).toBe(404);
  });

  it('keeps its stock from being counted away', async () => {
    await inventory.hold(order, { MUG: 8 });
    const answer = await inventory.adjust('MUG', -3);
    expect(answer.json()).toMatchObject({ code: 'insufficient_stock', available: 2 });
  });

  it('shows its moves in the ledger, with the order', async () => {
    await bring('returned');
    const ledger = await inventory.service.get('/products/MUG/movements', tokens.warehouse);
    const moves = ledger.json<{ items: object[] }>().items;
    expect(moves).toMatchObject([
      { reason: 'return', delta: 3, reservedDelta: 0, orderId: order, actor: 'orders' },
      { reason: 'commit', delta: -3, reservedDelta: -3, orderId: order },
      { reason: 'hold', delta: 0, reservedDelta: 3, orderId: order },
      { reason: 'count', delta: 10, reservedDelta: 0, actor: 'wendy' },
    ]);
    expect(moves.at(-1)).not.toHaveProperty('orderId');
  });

  it('is answered as before when an action is sent twice with one key', async () => {
    await bring('held');
    const first = await inventory.act(order, 'commit', undefined, 'k');
    await inventory.act(order, 'return');
    const second = await inventory.act(order, 'commit', undefined, 'k');
    expect(second.headers['idempotent-replayed']).toBe('true');
    expect(second.json()).toEqual(first.json());
    expect(await mugs()).toEqual({ onHand: 10, reserved: 0 });
  });

  it.each([
    ['no item', { items: [] }],
    ['a negative quantity', { items: [{ sku: 'MUG', quantity: -1 }] }],
    ['half a unit', { items: [{ sku: 'MUG', quantity: 0.5 }] }],
    [
      'a SKU that comes twice',
      {
        items: [
          { sku: 'MUG', quantity: 1 },
          { sku: 'MUG', quantity: 1 },
        ],
      },
    ],
    [
      '51 lines',
      { items: Array.from({ length: 51 }, (_, index) => ({ sku: `S${index}`, quantity: 1 })) },
    ],
    ['an unknown member', { items: [{ sku: 'MUG', quantity: 1 }], status: 'committed' }],
    ['an unknown member in a line', { items: [{ sku: 'MUG', quantity: 1, price: 0 }] }],
    ['too short a time', { items: [{ sku: 'MUG', quantity: 1 }], expiresIn: 29 }],
    ['too long a time', { items: [{ sku: 'MUG', quantity: 1 }], expiresIn: 3601 }],
  ])('of %s is refused and changes nothing', async (_what, body) => {
    const url = `/internal/reservations/${order}`;
    const answer = await inventory.service.send('PUT', url, { token: tokens.orders, body });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'validation_failed' });
    expect((await inventory.read(order)).statusCode).toBe(404);
    expect(await mugs()).toEqual({ onHand: 10, reserved: 0 });
  });

  it('belongs to an order whose id is one', async () => {
    const answer = await inventory.hold('not-an-id', { MUG: 1 });
    expect(answer.statusCode).toBe(400);
  });

  it.each([
    ['nobody', undefined, 401],
    ['a customer', tokens.customer, 403],
    ['the warehouse', tokens.warehouse, 403],
    ['an administrator', tokens.admin, 403],
    ['a user with the scope', tokens.scopedUser, 403],
    ['a service without the scope', tokens.unscopedService, 403],
    ["a service with another service's token", tokens.paymentsAudience, 401],
  ])('is closed to %s', async (_who, token, status) => {
    await bring('held');
    const url = `/internal/reservations/${order}`;
    const answers = [
      await inventory.service.get(url, token),
      await inventory.service.send('PUT', url, { token, body: {} }),
      await inventory.service.send('DELETE', url, { token }),
      await inventory.service.send('POST', `${url}/extend`, { token, body: { expiresIn: 60 } }),
      await inventory.service.send('POST', `${url}/commit`, { token }),
      await inventory.service.send('POST', `${url}/return`, { token }),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(answers.map(() => status));
    expect((await inventory.read(order)).json()).toMatchObject({ status: 'held' });
  });

  it('is counted, and so is what could not be held', async () => {
    const before = await counts();
    await bring('expired');
    await inventory.hold(randomUUID(), { MUG: 11 });
    const after = await counts();
    expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual([1, 1, 1]);
  });
});

it('reservations are in the OpenAPI document with the ways in which holding and releasing end', async () => {
  const inventory = await TestInventory.start();
  const document = await inventory.service.get('/docs/json');
  await inventory.close();
  const { paths } = document.json<{ paths: Record<string, Record<string, object>> }>();
  expect(paths['/internal/reservations/{orderId}']).toMatchObject({
    put: {
      responses: {
        409: { description: expect.stringContaining('insufficient_stock') as string },
        422: { description: expect.stringContaining('unknown_sku') as string },
      },
    },
    delete: {
      responses: {
        409: { description: expect.stringContaining('reservation_committed') as string },
      },
    },
  });
});

describe("a service's token", () => {
  it("opens none of the users' routes", async () => {
    const inventory = await TestInventory.start();
    await inventory.stocked('MUG', 10);
    const service = tokens.orders;
    const answers = [
      await inventory.send('POST', '/products', { sku: 'CUP' }, { token: service }),
      await inventory.send('PATCH', '/products/MUG', { name: 'Free' }, { token: service }),
      await inventory.send('POST', '/products/MUG/stock', { delta: 1 }, { token: service }),
      await inventory.service.get('/products/MUG/movements', service),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([403, 403, 403, 403]);
    await inventory.close();
  });
});
