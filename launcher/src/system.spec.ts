import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CATALOGUE } from './catalogue.ts';
import { identify } from './processes/process-identity.ts';
import type { Failure } from './running-service.ts';
import { SERVICES, type ServiceName } from './services.ts';
import { startSystem, type System, type SystemOptions } from './system.ts';
import { STAND_IN } from './testing/checkout.ts';

let dataDir: string;
let system: System;
const logged: string[] = [];
let fail: (failure: Failure) => void;
const failure = new Promise<Failure>((resolve) => {
  fail = resolve;
});
const options = (): SystemOptions => ({
  dataDir,
  ports: 'free',
  throwAway: true,
  main: () => STAND_IN,
  environment: {
    ...{ PATH: process.env.PATH, LOG_LEVEL: 'debug', AWS_SECRET_KEY: 'x', DEBUG: '*' },
    SIGNET_REFUNDS_EVERY_SECONDS: '5',
    SIGNET_RESERVATION_SWEEP_SECONDS: '5',
    SIGNET_REVOCATION_FOLLOWERS: '5',
  },
  onLog: (name, { text }) => logged.push(`${name}: ${text}`),
  onFailure: (found) => fail(found),
});

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'signet-system-'));
  system = await startSystem(options());
});
afterAll(async () => {
  await system.stop();
  await rm(dataDir, { recursive: true });
});

it('gives each service what it needs and nothing else', async () => {
  const names = await Promise.all(
    SERVICES.map(async ({ name }) => [name, Object.keys(await environmentOf(name)).sort()]),
  );
  const every = ['DATABASE_URL', 'HOST', 'LOG_LEVEL', 'PATH', 'PORT', 'SIGNET_ISSUER'];
  const guarded = [
    ...every,
    'SIGNET_JWKS_SNAPSHOT',
    'SIGNET_JWKS_URI',
    'SIGNET_REVOCATIONS_SNAPSHOT',
  ];
  const auth = ['COOKIE_SECRET', 'KEY_ENCRYPTION_KEY', 'ORDERS_CLIENT_SECRET', 'SEED_ACCOUNTS'];
  expect(Object.fromEntries(names)).toEqual({
    auth: [
      ...[...every, ...auth.map((name) => `SIGNET_${name}`)],
      'SIGNET_REVOCATION_FOLLOWERS',
    ].sort(),
    orders: [
      ...[...guarded, 'SIGNET_INVENTORY_URL', 'SIGNET_PAYMENTS_URL'],
      ...['SIGNET_ORDERS_CLIENT_SECRET', 'SIGNET_REFUNDS_EVERY_SECONDS'],
    ].sort(),
    payments: [
      ...[...guarded, 'SIGNET_PAYMENT_PROVIDER', 'SIGNET_SANDBOX_API_KEY', 'SIGNET_SANDBOX_URL'],
      'SIGNET_SANDBOX_WEBHOOK_SECRETS',
    ].sort(),
    inventory: [...guarded, 'SIGNET_RESERVATION_SWEEP_SECONDS'].sort(),
  });
});

it('points the services at each other and each at its own database', async () => {
  const { auth, orders, inventory } = system.services;
  const environment = await environmentOf('orders');
  expect(environment).toMatchObject({
    SIGNET_ISSUER: auth.url,
    SIGNET_JWKS_URI: `${auth.url}/.well-known/jwks.json`,
    SIGNET_JWKS_SNAPSHOT: join(dataDir, 'orders-jwks.json'),
    SIGNET_REVOCATIONS_SNAPSHOT: join(dataDir, 'orders-revocations.txt'),
    SIGNET_INVENTORY_URL: inventory.url,
    PORT: new URL(orders.url).port,
  });
  expect(environment.DATABASE_URL).toMatch(/^postgresql:\/\/signet_orders:.*\/signet_orders$/);
});

it('points payments and the sandbox provider at each other, with secrets that they share', async () => {
  const { services, sandbox, sandboxApiKey } = system;
  const payments = await environmentOf('payments');
  const provider = await environmentAt(sandbox.url);
  expect(payments).toMatchObject({
    ...{ SIGNET_SANDBOX_URL: sandbox.url, SIGNET_SANDBOX_API_KEY: sandboxApiKey },
    SIGNET_SANDBOX_WEBHOOK_SECRETS: provider.SIGNET_SANDBOX_WEBHOOK_SECRET,
  });
  expect(provider).toMatchObject({
    SIGNET_SANDBOX_API_KEY: sandboxApiKey,
    SIGNET_SANDBOX_WEBHOOK_URL: `${services.payments.url}/webhooks/sandbox`,
    SIGNET_SANDBOX_DATA: join(dataDir, 'sandbox.jsonl'),
  });
  expect(provider.DATABASE_URL).toBeUndefined();
});

it('hands out an account for each role, which auth was told to make', async () => {
  const seeds = JSON.parse((await environmentOf('auth')).SIGNET_SEED_ACCOUNTS ?? '') as object[];
  expect(seeds).toEqual(
    system.accounts.map(({ email, role, password }) => ({
      ...{ email, password, roles: [role], resetPassword: true },
    })),
  );
  expect(system.accounts.map(({ email }) => email)).toEqual([
    'admin@signet.test',
    'warehouse@signet.test',
    'support@signet.test',
    'customer@signet.test',
  ]);
});

it('puts the catalogue on sale with its stock', async () => {
  const answer = await fetch(`${system.services.inventory.url}/posts`);
  const posts = (await answer.json()) as { path: string; body: { price?: object } }[];
  expect(posts).toHaveLength(2 * CATALOGUE.length);
  const [mug] = CATALOGUE;
  expect(posts.find(({ path }) => path === '/products')?.body.price).toEqual({
    ...{ amount: mug?.amount, currency: 'EUR' },
  });
  expect(posts.find(({ path }) => path === `/products/${mug?.sku ?? ''}/stock`)?.body).toEqual({
    ...{ delta: mug?.stock, reason: 'initial stock' },
  });
});

it('lets a service be killed and started again at the same address, with the others unaware', async () => {
  const { auth, orders } = system.services;
  const [authBefore, ordersBefore] = [auth.pid, orders.pid];
  await auth.kill('SIGKILL');
  expect(await identify(authBefore)).toBeUndefined();
  await expect(fetch(auth.url)).rejects.toThrow();
  await orders.restart();
  expect(orders.pid).not.toBe(ordersBefore);
  await auth.restart();
  expect((await fetch(`${auth.url}/health/ready`)).status).toBe(200);
});

it('passes on what the services log, readable', async () => {
  await fetch(`${system.services.inventory.url}/warn`, { method: 'POST' });
  await system.services.inventory.restart();
  expect(logged).toContainEqual(
    expect.stringMatching(/^inventory: .* WARN {2}\[Stock\] stock is low$/),
  );
});

it('refuses a second system on the same data directory, and leaves the first alone', async () => {
  await expect(startSystem(options())).rejects.toThrow('already running');
  expect((await fetch(`${system.services.auth.url}/health/ready`)).status).toBe(200);
});

it('tells of a service that ends by itself', async () => {
  await fetch(`${system.services.payments.url}/exit`, { method: 'POST' }).catch(() => undefined);
  expect(await failure).toMatchObject({
    ...{ name: 'payments', code: 3, signal: null },
    lastLines: [expect.stringContaining('listening')],
  });
});

it('leaves nothing running when a service cannot start, and says why', async () => {
  const other = await mkdtemp(join(tmpdir(), 'signet-system-'));
  const pids: number[] = [];
  const start = startSystem({
    ...options(),
    dataDir: other,
    environment: { PATH: process.env.PATH, NODE_STAND_IN: 'fails' },
    onLog: (name, { text }) => {
      if (name === 'postgres') pids.push(Number(/\[(\d+)\] LOG: {2}starting/.exec(text)?.[1] ?? 0));
    },
  });
  await expect(start).rejects.toThrow(/ended by itself with exit code 7.*\n.*no keys, no service/);
  const run = JSON.parse(await readFile(join(other, 'run.1.json'), 'utf8')) as {
    services: { pid: number }[];
  };
  expect(run.services.length).toBeGreaterThan(0);
  for (const pid of [...pids.filter(Boolean), ...run.services.map((service) => service.pid)]) {
    expect(await identify(pid)).toBeUndefined();
  }
  await rm(other, { recursive: true });
});

async function environmentOf(name: ServiceName): Promise<Record<string, string>> {
  return environmentAt(system.services[name].url);
}

async function environmentAt(url: string): Promise<Record<string, string>> {
  const answer = await fetch(`${url}/environment`);
  return (await answer.json()) as Record<string, string>;
}
