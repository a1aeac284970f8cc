import { createTestIssuer } from '@signet/auth-guard/testing';
import { startTestService } from '@signet/database/testing';
import type { TestRequest, TestService } from '@signet/database/testing';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inventoryConfig } from '../config.js';
import { inventoryService } from '../inventory-service.module.js';

/** Never while a test runs, unless it says so. */
const HOURLY = '3600';

const issuer = createTestIssuer({ audience: 'urn:signet:api' });

export const tokens = {
  warehouse: issuer.token({ subject: 'wendy', roles: ['warehouse'] }),
  admin: issuer.token({ subject: 'ada', roles: ['admin'] }),
  support: issuer.token({ subject: 'sam', roles: ['support'] }),
  customer: issuer.token({ roles: ['customer'] }),
  /** What a user would need to be taken for a service, were scopes enough. */
  scopedUser: issuer.token({ roles: ['admin'], scopes: ['inventory:reserve'] }),
  orders: issuer.serviceToken({
    clientId: 'orders',
    audience: 'urn:signet:inventory',
    scopes: ['inventory:reserve'],
  }),
  unscopedService: issuer.serviceToken({ audience: 'urn:signet:inventory', scopes: ['other'] }),
  paymentsAudience: issuer.serviceToken({
    audience: 'urn:signet:payments',
    scopes: ['inventory:reserve'],
  }),
};

type Environment = Record<string, string>;

/** The inventory service in this process, with what its specs ask of it most. */
export class TestInventory {
  private constructor(
    readonly service: TestService,
    readonly database: pg.Pool,
  ) {}

  static async start(overrides: Environment = {}): Promise<TestInventory> {
    let url = '';
    const service = await startTestService(issuer, (environment) => {
      const variables: NodeJS.ProcessEnv = {
        SIGNET_RESERVATION_SWEEP_SECONDS: HOURLY,
        RATE_LIMIT_PER_MINUTE: '100000',
        ...environment,
        ...overrides,
      };
      url = variables.DATABASE_URL ?? '';
      return inventoryService(inventoryConfig(variables));
    });
    const database = new pg.Pool({ connectionString: url, max: 2 });
    // Dropping the database at the end may cut an idle connection.
    database.on('error', () => undefined);
    return new TestInventory(service, database);
  }

  async close(): Promise<void> {
    await this.database.end();
    await this.service.close();
  }

  /** Another replica, on the same database. */
  replica(overrides: Environment = {}): Promise<TestInventory> {
    return TestInventory.start({ ...overrides, DATABASE_URL: this.service.databaseUrl });
  }

  /** Leaves nothing but the tables. */
  async empty(): Promise<void> {
    await this.database.query('truncate products, reservations, idempotency_keys cascade');
  }

  /** The warehouse asks, unless the request says who. */
  send(method: 'POST' | 'PATCH', url: string, body?: object, request: TestRequest = {}) {
    return this.service.send(method, url, { token: tokens.warehouse, body, ...request });
  }

  /** Adds a product with stock. */
  async stocked(sku: string, units: number, product: object = {}): Promise<void> {
    const price = { amount: 1299, currency: 'EUR' };
    await this.send('POST', '/products', { sku, name: sku, price, ...product });
    if (units > 0) await this.adjust(sku, units);
  }

  adjust(sku: string, delta: number) {
    return this.send('POST', `/products/${sku}/stock`, { delta, reason: 'count' });
  }

  hold(orderId: string, items: Record<string, number>, body: object = {}) {
    const lines = Object.entries(items).map(([sku, quantity]) => ({ sku, quantity }));
    return this.internal('PUT', orderId, { items: lines, ...body });
  }

  /** One of `extend`, `commit` and `return`. */
  act(orderId: string, action: string, body?: object, idempotencyKey: string = randomUUID()) {
    const url = `/internal/reservations/${orderId}/${action}`;
    return this.service.send('POST', url, { token: tokens.orders, body, idempotencyKey });
  }

  release(orderId: string) {
    return this.internal('DELETE', orderId);
  }

  read(orderId: string) {
    return this.service.get(`/internal/reservations/${orderId}`, tokens.orders);
  }

  /** Moves the end of a hold into the past, as if it had been waited for. */
  async lapse(orderId: string): Promise<void> {
    await this.database.query(
      `update reservations set expires_at = now() - interval '1 second' where order_id = $1`,
      [orderId],
    );
  }

  /** How many reservations came to a status in this replica, as its metrics say. */
  async counted(status: string): Promise<number> {
    const { body } = await this.service.get('/metrics');
    const line = new RegExp(`inventory_reservations_total\\{status="${status}"\\} (\\d+)`);
    return Number(line.exec(body)?.[1] ?? 0);
  }

  /** What a SKU has, as the database says. */
  async level(sku: string): Promise<{ onHand: number; reserved: number }> {
    const { rows } = await this.database.query<{ onHand: number; reserved: number }>(
      `select on_hand as "onHand", reserved from stock_levels where sku = $1`,
      [sku],
    );
    return rows[0] ?? { onHand: NaN, reserved: NaN };
  }

  /** SKUs whose columns are not the sums of the ledger, or that reserve other than what is held. */
  async unbalanced(): Promise<string[]> {
    const { rows } = await this.database.query<{ sku: string }>(`
      select sku from stock_levels level where
        on_hand <> (select coalesce(sum(delta), 0) from stock_movements where sku = level.sku)
        or reserved <> (
          select coalesce(sum(reserved_delta), 0) from stock_movements where sku = level.sku)
        or reserved <> (
          select coalesce(sum(quantity), 0) from reservation_lines
          join reservations using (order_id) where sku = level.sku and status = 'held')`);
    return rows.map(({ sku }) => sku);
  }

  private internal(method: 'PUT' | 'DELETE', orderId: string, body?: object) {
    const url = `/internal/reservations/${orderId}`;
    return this.service.send(method, url, { token: tokens.orders, body });
  }
}
