import type { System } from '@signet/launcher';
import { setTimeout as sleep } from 'node:timers/promises';
import { GUARDED, isRefused, ship } from './system/guarded-routes.ts';
import { hasNamespaces, Namespace } from './system/namespace.ts';
import { startThrowAwaySystem } from './system/throw-away-system.ts';
import { clientOf } from './system/world.ts';
import type { Client } from './system/world.ts';

/** Packets are dropped in a network of its own: for that it takes Linux, root, ip and iptables. */
const describeIfPossible = hasNamespaces() ? describe : describe.skip;

describeIfPossible('a service whose packets to and from auth are dropped', () => {
  let network: Namespace;
  let system: System;
  let client: Client;
  let auth: string;
  let admin: string;

  beforeAll(async () => {
    network = new Namespace();
    system = await startThrowAwaySystem({ onLog: () => undefined });
    auth = await network.relay(Number(new URL(system.services.auth.url).port));
    const database = await network.relay(Number(/:(\d+),/.exec(system.database)?.[1]));
    const orders = await system.startReplica('orders', {
      within: network.within,
      environment: (own) => ({
        ...own,
        HOST: network.address,
        DATABASE_URL: own.DATABASE_URL?.replace(/127\.0\.0\.1:\d+/, database),
        SIGNET_JWKS_URI: `http://${auth}/.well-known/jwks.json`,
        SIGNET_ALLOW_PLAIN_HTTP: 'true',
        SIGNET_REVOCATIONS_URL: `http://${auth}/revocations`,
      }),
    });
    client = clientOf(system, { orders: orders.url });
    admin = await client.tokenOf('admin');
  });

  afterAll(async () => {
    await system.stop();
    await network.close();
  });

  const orders = (token: string) => client.call('orders', GUARDED.orders, { token });

  async function ageOfKnowledge(): Promise<number> {
    const { text } = await client.call('orders', 'GET /metrics');
    return Number(/^auth_guard_revocations_age_seconds\S* (\S+)/m.exec(text)?.[1]);
  }

  it('knows that its knowledge is old, goes on reading, and closes what wants it fresh', async () => {
    const user = await client.register();
    const other = await client.register();
    expect((await ship(client, admin)).status).toBe(404);
    network.drop(auth);
    await client.call('auth', 'POST /auth/logout', { token: user.access_token });

    let answer = await ship(client, admin);
    for (; answer.status === 404; answer = await ship(client, admin)) {
      expect((await orders(other.access_token)).status).toBe(200);
      await sleep(200);
    }
    expect([answer.status, answer.body.code]).toEqual([503, 'revocation_state_stale']);
    expect(await ageOfKnowledge()).toBeGreaterThan(10);
    // What it cannot know it does not guess: this is what @RequireFresh() is for.
    expect((await orders(user.access_token)).status).toBe(200);
    expect((await orders(other.access_token)).status).toBe(200);

    // Long enough for its half-open connection to be given up, and for new ones to fail.
    await sleep(5_000);
    network.pass(auth);
    while (!isRefused(await orders(user.access_token))) await sleep(50);
    while ((await ship(client, admin)).status !== 404) await sleep(50);
    expect((await orders(other.access_token)).status).toBe(200);
    expect(await ageOfKnowledge()).toBeLessThan(10);
  });

  it('does not lose its place when the packets only come late', async () => {
    const user = await client.register();
    network.drop(auth);
    await client.call('auth', 'POST /auth/logout', { token: user.access_token });
    await sleep(2_000);
    network.pass(auth);
    while (!isRefused(await orders(user.access_token))) await sleep(50);
    expect((await ship(client, admin)).status).toBe(404);
  });
});
