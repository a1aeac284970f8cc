import { startCrashablePostgres } from '@signet/launcher';
import type { CrashablePostgres, System } from '@signet/launcher';
import { decodeJwt } from 'jose';
import { setTimeout as sleep } from 'node:timers/promises';
import { answersOf, GUARDED, GUARDED_SERVICES, isRefused, ship } from './system/guarded-routes.ts';
import { startThrowAwaySystem } from './system/throw-away-system.ts';
import { clientOf } from './system/world.ts';
import type { Client } from './system/world.ts';

let postgres: CrashablePostgres;
let system: System;
let client: Client;
let admin: string;
/** Of somebody whom nothing ever happens to. */
let other: string;

beforeAll(async () => {
  postgres = await startCrashablePostgres();
  system = await startThrowAwaySystem({ databaseUrl: postgres.url, onLog: () => undefined });
  client = clientOf(system);
  admin = await client.tokenOf('admin');
  other = (await client.register()).access_token;
});

afterAll(async () => {
  await system.stop();
  await postgres.stop();
});

const logOut = (token: string) => client.call('auth', 'POST /auth/logout', { token });

async function loggedIn(count: number): Promise<string[]> {
  const users = await Promise.all(Array.from({ length: count }, () => client.register()));
  return users.map(({ access_token: token }) => token);
}

/** From now on, in every service. */
async function expectRefused(tokens: readonly string[]): Promise<void> {
  for (const token of tokens) {
    expect((await answersOf(client, token)).map(({ body }) => body.code)).toEqual(
      GUARDED_SERVICES.map(() => 'token_revoked'),
    );
  }
}

async function untilRefused(tokens: readonly string[]): Promise<void> {
  for (const token of tokens) {
    while (!(await answersOf(client, token)).every(isRefused)) await sleep(20);
  }
}

/** Until routes that ask for fresh knowledge are answered again, in each service that has some. */
async function untilAllHear(): Promise<void> {
  while ((await ship(client, admin)).status === 503) await sleep(50);
  const body = { delta: 1, reason: 'delivery' };
  const stock = () =>
    client.call('inventory', 'POST /products/NOT-THERE/stock', { token: admin, body });
  while ((await stock()).status === 503) await sleep(50);
}

async function expectOthersWelcome(): Promise<void> {
  expect((await answersOf(client, other)).map(({ status }) => status)).toEqual([200, 404, 403]);
}

describe('when auth is killed between a logout and its publication', () => {
  it('the logout is published by the next start', async () => {
    const [token = ''] = await loggedIn(1);
    const session = await postgres.connect('signet_auth');
    // While somebody holds the head of the feed, nothing is published.
    await session.query('begin; select from revocation_feed for update');
    expect((await logOut(token)).status).toBe(204);
    const { rows } = await session.query('select 1 from revocations where seq is null');
    expect(rows).toHaveLength(1);
    await system.services.auth.kill('SIGKILL');
    expect((await answersOf(client, token)).some(isRefused)).toBe(false);
    await session.end();
    await system.services.auth.restart();
    await untilRefused([token]);
    await expectOthersWelcome();
  });
});

describe('when a service is killed', () => {
  it('it knows at its first answer what was revoked meanwhile', async () => {
    const tokens = await loggedIn(10);
    await Promise.all([...tokens.slice(0, 5).map(logOut), system.services.orders.kill('SIGKILL')]);
    await Promise.all(tokens.slice(5).map(logOut));
    await system.services.orders.restart();
    const answers = await Promise.all(
      tokens.map((token) => client.call('orders', GUARDED.orders, { token })),
    );
    expect(answers.filter((answer) => !isRefused(answer))).toEqual([]);
    await expectOthersWelcome();
  });

  it('while auth is down, it goes on refusing what was revoked before', async () => {
    const [token = ''] = await loggedIn(1);
    await logOut(token);
    await untilRefused([token]);
    await system.services.auth.kill('SIGKILL');
    await Promise.all(GUARDED_SERVICES.map((service) => system.services[service].kill('SIGKILL')));
    await Promise.all(GUARDED_SERVICES.map((service) => system.services[service].restart()));
    await expectRefused([token]);
    await expectOthersWelcome();
    let answer = await ship(client, admin);
    for (; answer.status === 404; answer = await ship(client, admin)) await sleep(200);
    expect([answer.status, answer.body.code]).toEqual([503, 'revocation_state_stale']);
    expect(answer.headers.get('retry-after')).toBe('2');
    expect((await client.call('orders', 'GET /admin/orders', { token: admin })).status).toBe(200);
    await system.services.auth.restart();
    await untilAllHear();
    await expectRefused([token]);
  });
});

describe('when auth is dead for longer than knowledge may be old', () => {
  it('a token that was revoked meanwhile buys nothing, and nothing is charged afterwards', async () => {
    const sku = await client.newProduct();
    const { access_token: token } = await client.register();
    const order = () => {
      const body = { items: [{ sku, quantity: 1 }], paymentMethod: 'tok_ok' };
      return client.call('orders', 'POST /orders', { token, body });
    };
    const before = await order();
    expect(before.status).toBe(202);
    await system.services.auth.kill('SIGKILL');
    // As another replica would write it that this one's followers cannot hear.
    const database = await postgres.connect('signet_auth');
    await database.query(
      `insert into revocations (kind, subject, until, cause, txn)
       values ('session', $1, extract(epoch from now()) + 660, 'logout', gen_random_uuid())`,
      [decodeJwt(token).sid],
    );
    await database.end();
    while ((await ship(client, admin)).status !== 503) await sleep(200);

    const cancel = `POST /orders/${String(before.body.id)}/cancel`;
    for (const answer of [await order(), await client.call('orders', cancel, { token })]) {
      expect([answer.status, answer.body.code]).toEqual([503, 'revocation_state_stale']);
      expect(answer.headers.get('retry-after')).toBe('2');
    }
    const own = await client.call('orders', 'GET /orders', { token });
    expect([own.status, own.body.items]).toMatchObject([200, [{ id: before.body.id }]]);

    await system.services.auth.restart();
    await untilRefused([token]);
    while ((await ship(client, admin)).status !== 404) await sleep(50);
    const all = await client.call('orders', 'GET /admin/orders', { token: admin });
    const ofThief = (all.body.items as { customerId: string; id: string }[]).filter(
      ({ customerId }) => customerId === decodeJwt(token).sub,
    );
    expect(ofThief.map(({ id }) => id)).toEqual([before.body.id]);
  });
});

describe('when PostgreSQL is killed', () => {
  it('every logout that was answered holds when it is back, and all go on by themselves', async () => {
    const tokens = await loggedIn(20);
    const answers = tokens.map((token) => logOut(token).catch(() => ({ status: 0 })));
    await Promise.race(answers);
    await postgres.crash();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    const ended = tokens.filter((_, index) => statuses[index] === 204);
    expect(ended.length).toBeGreaterThan(0);

    // Nobody says any more that nothing has happened.
    while ((await ship(client, admin)).body.code !== 'revocation_state_stale') await sleep(200);
    await postgres.restart();
    await untilRefused(ended);
    while ((await ship(client, admin)).status !== 404) await sleep(50);
    await expectOthersWelcome();

    const [token = ''] = await loggedIn(1);
    expect((await logOut(token)).status).toBe(204);
    await untilRefused([token]);
    await expectRefused(ended);
  });
});
