import { createTestIssuer } from '@signet/auth-guard/testing';
import { startTestService } from '@signet/database/testing';
import type { TestService } from '@signet/database/testing';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ordersConfig } from '../config.js';
import { ordersService } from '../orders-service.module.js';
import type { AdminOrder } from '../orders/order.schema.js';
import { StandInServices } from './stand-in-services.js';

export const issuer = createTestIssuer({ audience: 'urn:signet:api' });
export const alice = issuer.token({ subject: 'alice', roles: ['customer'] });
export const bob = issuer.token({ subject: 'bob', roles: ['customer'] });
export const support = issuer.token({ roles: ['support'] });
export const admin = issuer.token({ subject: 'the admin', roles: ['admin'] });

/** What orders is told of the services around it. */
export function surroundings(others: StandInServices): NodeJS.ProcessEnv {
  return {
    SIGNET_INVENTORY_URL: others.url,
    SIGNET_PAYMENTS_URL: others.url,
    SIGNET_TOKEN_URL: `${others.url}/oauth/token`,
    SIGNET_ORDERS_CLIENT_SECRET: 'a secret of some length',
    SIGNET_SERVICE_TIMEOUT_MS: '2000',
    SIGNET_CHECKOUT_STUCK_SECONDS: '2',
    SIGNET_REFUNDS_EVERY_SECONDS: '1',
  };
}

/** Orders on a database of its own, between services that do as the test wants. */
export class Shop {
  private constructor(
    readonly others: StandInServices,
    readonly service: TestService,
  ) {}

  static async open(variables: NodeJS.ProcessEnv = {}): Promise<Shop> {
    const others = new StandInServices();
    await others.start();
    const service = await startTestService(issuer, (environment) =>
      ordersService(ordersConfig({ ...environment, ...surroundings(others), ...variables })),
    );
    return new Shop(others, service);
  }

  async close(): Promise<void> {
    await this.service.close();
    this.others.stop();
  }

  post(url: string, token: string, body?: object, headers: { idempotencyKey?: string } = {}) {
    return this.service.send('POST', url, { token, body, ...headers });
  }

  /** Places an order of two mugs. */
  async place(paymentMethod = 'tok_ok', sku = 'MUG'): Promise<string> {
    const body = { items: [{ sku, quantity: 2 }], paymentMethod };
    const response = await this.post('/orders', alice, body, { idempotencyKey: randomUUID() });
    return response.json<{ id: string }>().id;
  }

  async read(id: string): Promise<AdminOrder> {
    return (await this.service.get(`/admin/orders/${id}`, admin)).json<AdminOrder>();
  }

  async version(id: string): Promise<string> {
    const { headers } = await this.service.get(`/admin/orders/${id}`, admin);
    return String(headers.etag);
  }

  /** The order as soon as it is in that state. */
  async becomes(id: string, status: string): Promise<AdminOrder> {
    let order = await this.read(id);
    await until(async () => (order = await this.read(id)).status === status);
    return order;
  }
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 25_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come about');
    await sleep(25);
  }
}
