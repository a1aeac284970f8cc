import { execFileSync } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startThrowAwayPostgres } from './postgres/throw-away.ts';
import { identify } from './processes/process-identity.ts';
import { SERVICES, type ServiceName } from './services.ts';
import { makeCheckout, type Checkout, type Start } from './testing/checkout.ts';

let checkout: Checkout;
beforeAll(async () => {
  checkout = await makeCheckout();
});
afterAll(() => checkout.remove());

describe('while it runs', () => {
  let start: Start;
  beforeAll(async () => {
    start = checkout.start();
    await start.ready();
  });
  afterAll(() => start.stop());

  it('has shown where everything is, in 100 columns', () => {
    const lines = start.output().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    for (const { name } of SERVICES) {
      const url = checkout.url(name);
      expect(start.output()).toMatch(new RegExp(`${name} +${url} +${url}/docs\n`));
    }
    expect(start.output()).toMatch(
      /Payments: a sandbox at http\S+, which takes no money\. Pay with tok_ok/,
    );
  });

  it('has shown commands that log in as the customer, buy something and read the order back', () => {
    const steps = (start.output().split('Try it\n')[1] ?? '').split(/^ *# \d\. .*\n/m).slice(1);
    expect(steps).toHaveLength(4);
    const script = [...steps.slice(0, 2), 'echo "$TOKEN, $ORDER"', steps[2]].join('\n');
    const printed = execFileSync('sh', ['-c', script], { encoding: 'utf8', stdio: 'pipe' });
    expect(printed).toMatch(/^token of customer@signet\.test, 018f-order\n/);
    expect(printed).toContain('"status":"confirmed"');
  });

  it('keeps its secrets from everyone else', async () => {
    expect((await stat(join(checkout.dir, '.data/secrets.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(checkout.dir, '.data/postgres/data'))).mode & 0o777).toBe(0o700);
  });

  it('refuses to start a second time, which the first does not notice', async () => {
    const second = checkout.start();
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.output()).toContain(`already running from this directory (pid ${start.pid})`);
    expect((await fetch(`${checkout.url('auth')}/health/ready`)).status).toBe(200);
  });

  it('shows warnings with the name of their service, and nothing less important', async () => {
    await fetch(`${checkout.url('inventory')}/warn`, { method: 'POST' });
    await start.prints('stock is low');
    expect(start.output()).toMatch(/^inventory │ \S+ WARN {2}\[Stock\] stock is low$/m);
    expect(start.output()).not.toContain('listening');
  });
});

describe('when it ends', () => {
  it('has stopped everything after Ctrl-C, and starts with the same accounts again', async () => {
    const first = checkout.start();
    await first.ready();
    const pids = await processes(checkout);
    first.kill('SIGINT');
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(await running(pids)).toEqual([]);

    const second = checkout.start({ args: ['--verbose'] });
    await second.ready();
    expect(accounts(second)).toEqual(accounts(first));
    expect(await products(checkout)).toBe(8);
    expect(second.output()).toContain('listening');
    await second.stop();
  });

  it('shows no warnings of services that miss each other while they stop', async () => {
    const start = checkout.start();
    await start.ready();
    await fetch(`${checkout.url('orders')}/miss-the-others`, { method: 'POST' });
    await start.stop();
    expect(start.output()).toContain('Stopping…');
    expect(start.output()).not.toContain('where is everybody?');
  });

  it('kills a service that does not want to stop', async () => {
    const start = checkout.start();
    await start.ready();
    const pids = await processes(checkout);
    await fetch(`${checkout.url('payments')}/ignore-sigterm`, { method: 'POST' });
    start.kill('SIGTERM');
    expect(await start.exited).toEqual({ code: 0, signal: null });
    expect(await running(pids)).toEqual([]);
  });

  it('takes everything along when it is killed, and a start right after says so', async () => {
    const first = checkout.start();
    await first.ready();
    const pids = await processes(checkout);
    first.kill('SIGKILL');
    const second = checkout.start();
    await second.ready();
    expect(second.output()).toContain(`The last start (pid ${first.pid}) did not end cleanly`);
    expect(await running(pids)).toEqual([]);
    expect(await products(checkout)).toBe(8);

    const left = await processes(checkout);
    second.kill('SIGKILL');
    while ((await running(left)).length > 0) await sleep(50);
  });

  it('does not outlive npm, which leaves it behind when it is told to end', async () => {
    const start = checkout.start({ asNpm: true });
    await start.ready();
    const pids = await processes(checkout);
    start.kill('SIGTERM');
    // The output ends when the last process that writes to it does, and that is the launcher.
    await start.exited;
    expect(await running(pids)).toEqual([]);
  });

  it('says that PostgreSQL died, and stops the rest', async () => {
    const start = checkout.start();
    await start.ready();
    const pids = await processes(checkout);
    process.kill(pids.at(-1) ?? 0, 'SIGQUIT');
    expect(await start.exited).toEqual({ code: 1, signal: null });
    expect(start.output()).toContain('Nothing goes on without postgres.');
    expect(await running(pids)).toEqual([]);
  });
});

describe('when a service dies', () => {
  const die = (name: 'auth' | 'orders') =>
    fetch(`${checkout.url(name)}/exit`, { method: 'POST' }).catch(() => undefined);
  const isReady = async (name: ServiceName) =>
    (await fetch(`${checkout.url(name)}/health/ready`)).status === 200;

  it('says which, how and with what last words, and starts it again beside the others', async () => {
    const start = checkout.start();
    await start.ready();
    const before = await processes(checkout);
    await die('auth');
    await start.prints('auth is back.');
    expect(start.output()).toMatch(
      /auth ended by itself with exit code 3\. Its last log lines:\n.*INFO {2}listening\n.*again/,
    );
    expect(await running(before)).toHaveLength(before.length - 1);
    for (const { name } of SERVICES) expect(await isReady(name)).toBe(true);
    const pids = await processes(checkout);
    await start.stop();
    expect(await running(pids)).toEqual([]);
  });

  it('gives up, and stops the rest, when it dies three times within a minute', async () => {
    const start = checkout.start();
    await start.ready();
    for (let times = 1; times < 3; times++) {
      await die('orders');
      while (start.output().split('orders is back.').length <= times) await sleep(20);
    }
    const pids = await processes(checkout);
    await die('orders');
    expect(await start.exited).toEqual({ code: 1, signal: null });
    expect(start.output()).toContain('orders has ended 3 times within a minute.');
    expect(await running(pids)).toEqual([]);
  });

  it('gives up, and stops the rest, when it does not come back', async () => {
    const start = checkout.start();
    await start.ready();
    const main = join(checkout.dir, 'apps/orders/dist/main.js');
    const whole = await readFile(main, 'utf8');
    await writeFile(main, "console.error('out of luck'); process.exit(9);");
    await die('orders');
    expect(await start.exited).toEqual({ code: 1, signal: null });
    expect(start.output()).toMatch(/exit code 9\. Its last log lines:\n.*out of luck/);
    await writeFile(main, whole);
  });
});

describe('with options and variables', () => {
  it.each([
    ['SIGNET_PAYMENTS_PORT', 'payments'],
    ['SIGNET_SANDBOX_PORT', 'the sandbox'],
    ['SIGNET_POSTGRES_PORT', 'PostgreSQL'],
  ])('names a port that is in use, who wants it and %s', async (variable, user) => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const start = checkout.start({ env: { [variable]: String(port) } });
    expect(await start.exited).toEqual({ code: 1, signal: null });
    expect(start.output()).toBe(
      `Port ${port}, which ${user} listens on, is in use. Set ${variable} to another port.\n`,
    );
    other.close();
  });

  it('uses the PostgreSQL of DATABASE_URL, and does not reset it', async () => {
    const server = await startThrowAwayPostgres();
    const env = { DATABASE_URL: server.url, SIGNET_DEMO_PASSWORD: 'it\'s a "demo"' };
    const start = checkout.start({ env });
    await start.ready();
    expect(await products(checkout)).toBe(8);
    expect(accounts(start).map(([, , password]) => password)).toContain(env.SIGNET_DEMO_PASSWORD);
    await start.stop();

    const reset = checkout.start({ args: ['--reset'], env });
    expect(await reset.exited).toEqual({ code: 1, signal: null });
    expect(reset.output()).toContain('DROP DATABASE IF EXISTS signet_auth;');
    await server.stop();
  });

  it('starts afresh with --reset', async () => {
    const before = await readFile(join(checkout.dir, '.data/secrets.json'), 'utf8');
    const start = checkout.start({ args: ['--reset'] });
    await start.ready();
    expect(await readFile(join(checkout.dir, '.data/secrets.json'), 'utf8')).not.toBe(before);
    expect(await products(checkout)).toBe(8);
    await start.stop();
  });

  it('explains itself with --help, and when it does not know an option', async () => {
    const help = checkout.start({ args: ['--help'] });
    expect(await help.exited).toEqual({ code: 0, signal: null });
    expect(help.output()).toContain('SIGNET_POSTGRES_PORT');
    const unknown = checkout.start({ args: ['--rest'] });
    expect(await unknown.exited).toEqual({ code: 1, signal: null });
    expect(unknown.output()).toContain("Unknown option '--rest'");
  });
});

/** The ids of the services and the database server that run for a checkout. */
async function processes({ dir }: Checkout): Promise<number[]> {
  const data = join(dir, '.data');
  const name = (await readdir(data)).find((entry) => /^run\.\d+\.json$/.test(entry)) ?? '';
  const run = JSON.parse(await readFile(join(data, name), 'utf8')) as {
    services: { pid: number }[];
  };
  const postmaster = await readFile(join(data, 'postgres/data/postmaster.pid'), 'utf8');
  const pids = [...run.services.map(({ pid }) => pid), parseInt(postmaster)];
  expect(await running(pids)).toHaveLength(6);
  return pids;
}

async function running(pids: number[]): Promise<number[]> {
  const found = await Promise.all(pids.map(identify));
  return pids.filter((_, index) => found[index] !== undefined);
}

/** The table of accounts: address, role and password of each. */
function accounts(start: Start): string[][] {
  const rows = start.output().matchAll(/^ *(\w+@signet\.test) +(\w+) +(.+)$/gm);
  return [...rows].map(([, ...cells]) => cells);
}

async function products(checkout: Checkout): Promise<number> {
  const answer = await fetch(`${checkout.url('inventory')}/products`);
  return ((await answer.json()) as { items: unknown[] }).items.length;
}
