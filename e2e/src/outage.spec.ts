import type { System } from '@signet/launcher';
import { setTimeout as sleep } from 'node:timers/promises';
import { startThrowAwaySystem } from './system/throw-away-system.ts';
import { clientOf } from './system/world.ts';
import type { Client } from './system/world.ts';

/** Of the access tokens; and how much longer a service may take one for good, for clocks that differ. */
const LIFETIME_SECONDS = 10;
const TOLERANCE_SECONDS = 5;

describe('when the auth service is killed', () => {
  let system: System;
  let client: Client;
  let token: string;
  let sku: string;
  let issuedAt: number;
  const logs: string[] = [];

  beforeAll(async () => {
    system = await startThrowAwaySystem({
      variables: {
        SIGNET_ACCESS_TOKEN_SECONDS: String(LIFETIME_SECONDS),
        LOG_LEVEL: 'debug',
      },
      onLog: (_service, { text }) => logs.push(text),
    });
    client = clientOf(system);
    sku = await client.newProduct();
    token = await client.tokenOf('admin');
    issuedAt = Date.now();
    await system.services.auth.kill('SIGKILL');
  });

  afterAll(() => system.stop());

  const calls = () =>
    Promise.all([
      client.call('orders', 'GET /admin/orders', { token }),
      client.call('payments', 'GET /admin/payments', { token }),
      client.call('inventory', `GET /products/${sku}/movements`, { token }),
    ]);

  it('the others go on serving its tokens', async () => {
    await expect(client.call('auth', 'GET /health/live')).rejects.toThrow();
    expect((await calls()).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('so does one of them that is restarted meanwhile', async () => {
    const before = system.services.orders.pid;
    await system.services.orders.kill('SIGKILL');
    await system.services.orders.restart();
    expect(system.services.orders.pid).not.toBe(before);
    const answer = await client.call('orders', 'GET /admin/orders', { token });
    expect(answer.status).toBe(200);
  });

  it('a token ends when it says so, everywhere', async () => {
    await sleep(issuedAt + (LIFETIME_SECONDS + TOLERANCE_SECONDS + 1) * 1000 - Date.now());
    for (const { status, body, headers } of await calls()) {
      expect([status, body.code]).toEqual([401, 'token_expired']);
      expect(headers.get('www-authenticate')).toMatch(/error="invalid_token"/);
    }
  });

  it('requests are in the logs of the services, and neither a token nor a password is', () => {
    const secrets = [
      ...system.accounts.map(({ password }) => password),
      system.ordersClientSecret,
      ...token.split('.').slice(1),
    ];
    const text = logs.join('\n');
    expect(text).toContain('/admin/orders');
    for (const secret of secrets) expect(text).not.toContain(secret);
  });
});
