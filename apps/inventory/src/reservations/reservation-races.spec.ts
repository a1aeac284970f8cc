import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { TestInventory } from '../testing/inventory-service.js';
import { ReservationSweeper } from './reservation-sweeper.js';

describe('two replicas of inventory', () => {
  let one: TestInventory;
  let other: TestInventory;

  beforeAll(async () => {
    one = await TestInventory.start();
    other = await one.replica();
  });

  afterAll(async () => {
    await other.close();
    await one.close();
  });

  beforeEach(() => one.empty());

  afterEach(async () => {
    expect(await one.unbalanced()).toEqual([]);
  });

  const replica = (index: number) => (index % 2 === 0 ? one : other);
  const orders = (count: number) => Array.from({ length: count }, () => randomUUID());
  const sweep = ({ service }: TestInventory) => service.app.get(ReservationSweeper).sweep();
  async function untilSomeoneWaits(): Promise<void> {
    const waiting = `select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    while ((await one.database.query(waiting)).rows.length === 0) await setTimeout(10);
  }

  const tally = (answers: { statusCode: number }[]) =>
    answers.reduce<Record<number, number>>(
      (counts, { statusCode }) => ({ ...counts, [statusCode]: (counts[statusCode] ?? 0) + 1 }),
      {},
    );

  it('let 200 orders at once have the 100 units there are, and not one more', async () => {
    await one.stocked('MUG', 100);
    const answers = await Promise.all(
      orders(200).map((order, index) => replica(index).hold(order, { MUG: 1 })),
    );
    expect(tally(answers)).toEqual({ 200: 100, 409: 100 });
    expect(await one.level('MUG')).toEqual({ onHand: 100, reserved: 100 });
  });

  it('do not block each other when orders name the same SKUs in opposite order', async () => {
    const skus = ['A', 'B', 'C', 'D'];
    for (const sku of skus) await one.stocked(sku, 1000);
    const lines = (names: string[]) => Object.fromEntries(names.map((sku) => [sku, 1]));
    const all = orders(80);
    const held = await Promise.all(
      all.map((order, index) =>
        replica(index).hold(order, lines(index % 4 < 2 ? skus : skus.toReversed())),
      ),
    );
    expect(tally(held)).toEqual({ 200: 80 });
    for (const order of all.slice(0, 20)) await one.lapse(order);
    const [, , ...ended] = await Promise.all([
      sweep(one),
      sweep(other),
      ...all.slice(20, 50).map((order, index) => replica(index).act(order, 'commit')),
      ...all.slice(50).map((order, index) => replica(index).release(order)),
      ...skus.map((sku) => one.adjust(sku, -1)),
    ]);
    expect(tally(ended)).toEqual({ 200: 34, 204: 30 });
    for (const sku of skus) expect(await one.level(sku)).toEqual({ onHand: 969, reserved: 0 });
  });

  it('let an order have the unit that another gives back while it waits', async () => {
    await one.stocked('MUG', 1);
    const [before, after] = [randomUUID(), randomUUID()];
    await one.hold(before, { MUG: 1 });
    const release = await one.database.connect();
    await release.query('begin');
    await release.query(`update reservations set status = 'released'`);
    await release.query('update stock_levels set reserved = 0');
    await release.query(
      `insert into stock_movements (sku, delta, reserved_delta, reason, actor, order_id)
       values ('MUG', 0, -1, 'release', 'test', $1)`,
      [before],
    );
    const waiting = one.hold(after, { MUG: 1 }).then(({ statusCode }) => statusCode);
    await Promise.race([waiting, untilSomeoneWaits()]);
    await release.query('commit');
    release.release();
    expect(await waiting).toBe(200);
    expect(await one.level('MUG')).toEqual({ onHand: 1, reserved: 1 });
  });

  it('hold an order once, however many times it is sent at once', async () => {
    await one.stocked('MUG', 10);
    const order = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => replica(index).hold(order, { MUG: 2 })),
    );
    expect(tally(answers)).toEqual({ 200: 10 });
    expect(await one.level('MUG')).toEqual({ onHand: 10, reserved: 2 });
  });

  it('sell or give back, never both, when an order is committed and released at once', async () => {
    await one.stocked('MUG', 20);
    const all = orders(20);
    await Promise.all(all.map((order) => one.hold(order, { MUG: 1 })));
    const committed = await Promise.all(
      all.map(async (order) => {
        const [commit, release] = await Promise.all([
          one.act(order, 'commit'),
          other.release(order),
        ]);
        expect([commit.statusCode, release.statusCode].toSorted()).not.toEqual([200, 204]);
        return commit.statusCode === 200;
      }),
    );
    const sold = committed.filter(Boolean).length;
    expect(await one.level('MUG')).toEqual({ onHand: 20 - sold, reserved: 0 });
  });

  it('leave nothing held when an order is held and released at once', async () => {
    await one.stocked('MUG', 20);
    const all = orders(20);
    await Promise.all(all.flatMap((order) => [one.hold(order, { MUG: 1 }), other.release(order)]));
    await Promise.all(all.map((order) => other.release(order)));
    expect(await one.level('MUG')).toEqual({ onHand: 20, reserved: 0 });
  });

  it('give back together, each once, what was held too long', async () => {
    await one.stocked('MUG', 40);
    const all = orders(40);
    await Promise.all(all.map((order) => one.hold(order, { MUG: 1 })));
    for (const order of all) await one.lapse(order);
    const before = (await one.counted('expired')) + (await other.counted('expired'));
    await Promise.all([sweep(one), sweep(other), sweep(one), sweep(other)]);
    expect(await one.level('MUG')).toEqual({ onHand: 40, reserved: 0 });
    const after = (await one.counted('expired')) + (await other.counted('expired'));
    expect(after - before).toBe(40);
  });

  it('give back the others when one cannot be given back', async () => {
    const [broken = '', ...others] = orders(5);
    await one.stocked('CUP', 1);
    await one.stocked('MUG', 4);
    await one.hold(broken, { CUP: 1 });
    for (const order of others) await one.hold(order, { MUG: 1 });
    for (const order of [broken, ...others]) await one.lapse(order);
    await one.database.query(`update stock_levels set reserved = 0 where sku = 'CUP'`);
    await sweep(other);
    expect(await one.level('MUG')).toEqual({ onHand: 4, reserved: 0 });
    await one.database.query(`update stock_levels set reserved = 1 where sku = 'CUP'`);
    await sweep(other);
    expect(await one.level('CUP')).toEqual({ onHand: 1, reserved: 0 });
  });

  it('give back what was held too long by themselves', async () => {
    await one.stocked('MUG', 1);
    const order = randomUUID();
    await one.hold(order, { MUG: 1 });
    await one.lapse(order);
    const sweeping = await one.replica({ SIGNET_RESERVATION_SWEEP_SECONDS: '1' });
    while ((await one.level('MUG')).reserved > 0) await setTimeout(50);
    await sweeping.close();
    expect((await one.read(order)).json()).toMatchObject({ status: 'expired' });
  });
});
