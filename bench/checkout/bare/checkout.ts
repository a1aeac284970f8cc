import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { v7 as uuidv7 } from 'uuid';
import { commitHold, hold, price as readPrice } from './inventory.ts';
import { BARE_QUEUE, finish, place, save, take } from './orders.ts';
import { authorize, capture } from './payments.ts';
import type { BareOrder } from './session.ts';

/** For each database, as many as a service has within two. */
const CONNECTIONS = 8;

/** The statements of orders, against the same databases, one after the other and nothing between them. */
export class BareCheckout {
  private readonly pools: Record<'orders' | 'inventory' | 'payments', pg.Pool>;
  private readonly boss: PgBoss;

  /** @param urlOf connection URL of a service's database */
  constructor(urlOf: (service: 'orders' | 'inventory' | 'payments') => string) {
    const pool = (service: 'orders' | 'inventory' | 'payments') =>
      new pg.Pool({ connectionString: urlOf(service), max: CONNECTIONS });
    this.pools = {
      orders: pool('orders'),
      inventory: pool('inventory'),
      payments: pool('payments'),
    };
    const { orders } = this.pools;
    this.boss = new PgBoss({
      db: { executeSql: (text: string, values?: unknown[]) => orders.query<never>(text, values) },
      ...{ schema: 'jobs', migrate: false, supervise: false, schedule: false },
    });
  }

  async start(): Promise<void> {
    await this.boss.start();
    await this.boss.createQueue(BARE_QUEUE, { policy: 'short', notify: true });
    // What pg-boss must know of a queue is fetched once: not when orders hold all connections.
    await this.boss.findJobs(BARE_QUEUE, { key: 'none' });
  }

  /** One order, from its price to its confirmation. */
  async order(product: { sku: string; price: number }): Promise<void> {
    const placed: BareOrder = { ...product, id: uuidv7(), customerId: randomUUID() };
    const { boss } = this;
    await this.on('inventory', (inventory) => readPrice(inventory, product.sku));
    await this.on('orders', (orders) => place(orders, boss, placed));
    const taken = await this.on('orders', (orders) => take(orders, boss));
    const { order } = taken;
    await this.on('orders', (orders) => save(orders, order, 2));
    await this.on('inventory', (inventory) => hold(inventory, order));
    await this.on('orders', (orders) => save(orders, order, 3));
    const payment = await this.on('payments', (payments) => authorize(payments, order));
    await this.on('orders', (orders) => save(orders, order, 4));
    await this.on('inventory', (inventory) => commitHold(inventory, order));
    await this.on('orders', (orders) => save(orders, order, 5));
    await this.on('payments', (payments) => capture(payments, payment, order));
    await this.on('orders', (orders) => finish(orders, boss, taken));
  }

  /** Leaves the connections to others until the next order. */
  async close(): Promise<void> {
    await this.boss.stop({ close: false, graceful: false });
    await Promise.all(Object.values(this.pools).map((pool) => pool.end()));
  }

  private async on<Result>(
    service: keyof typeof this.pools,
    work: (session: pg.PoolClient) => Promise<Result>,
  ): Promise<Result> {
    const session = await this.pools[service].connect();
    try {
      return await work(session);
    } finally {
      session.release();
    }
  }
}
