import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';
import type { Sample } from '../rounds.ts';
import type { AuthProcess, AuthService } from './service.ts';

const PASSWORD = 'correct horse battery staple';

/** What is asked of the service, over and over: one answer for one call. */
export interface Operations {
  /** Of a service that answers without doing anything. */
  answerNothing: () => Promise<Sample>;
  /** Of the engine at its token endpoint: the answer to a browser's preflight. */
  preflight: () => Promise<Sample>;
  logIn: () => Promise<Sample>;
  refresh: () => Promise<Sample>;
  clientCredentials: () => Promise<Sample>;
  close: () => Promise<void>;
}

/**
 * @param processes of the service, which are asked in turn
 * @param options.atOnce people who use the service at the same time
 * @param options.seconds that one sample takes
 */
export async function operationsOn(
  service: AuthService,
  processes: readonly AuthProcess[],
  { atOnce, seconds }: { atOnce: number; seconds: number },
): Promise<Operations> {
  const pools = processes.map(({ url }) => new Pool(url, { connections: atOnce }));
  const each = atOnce / pools.length;
  const people = await Promise.all(
    pools.flatMap((pool) => Array.from({ length: each }, () => register(pool))),
  );
  const basic = Buffer.from(`orders:${service.clientSecret}`).toString('base64');
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    resource: 'urn:signet:payments',
    scope: 'payments:charge',
  }).toString();
  const preflight = { origin: 'http://127.0.0.1', 'access-control-request-method': 'POST' };

  const used = async () => {
    const ofProcesses = await Promise.all(processes.map((one) => one.cpu()));
    const { user, system } = process.cpuUsage();
    const cpu = ofProcesses.reduce((sum, one) => sum + one, 0);
    return { cpu, database: service.databaseCpu(), load: user + system };
  };
  const measured = (operation: (person: Person) => Promise<unknown>) => async () => {
    const before = await used();
    const start = performance.now();
    let done = 0;
    await Promise.all(
      people.map(async (person) => {
        for (; performance.now() < start + seconds * 1000; done++) await operation(person);
      }),
    );
    const elapsed = (performance.now() - start) / 1000;
    const after = await used();
    const one = (name: keyof typeof before) => (after[name] - before[name]) / done;
    return {
      rate: done / elapsed,
      ...{ cpu: one('cpu'), database: one('database'), load: one('load') },
    };
  };

  return {
    answerNothing: measured(({ pool }) => ask(pool, { method: 'GET', path: '/health/live' })),
    preflight: measured(({ pool }) =>
      ask(pool, { method: 'OPTIONS', path: '/oauth/token', headers: preflight }),
    ),
    logIn: measured(({ pool, email }) => post(pool, '/auth/login', { email, password: PASSWORD })),
    refresh: measured(async (person) => {
      const { pool, refreshToken: refresh_token } = person;
      person.refreshToken = (await post(pool, '/auth/refresh', { refresh_token })).refresh_token;
    }),
    clientCredentials: measured(({ pool }) =>
      send(pool, '/oauth/token', form, {
        authorization: `Basic ${basic}`,
        'content-type': 'application/x-www-form-urlencoded',
      }),
    ),
    close: async () => {
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}

interface Person {
  pool: Pool;
  email: string;
  refreshToken: string;
}

interface Tokens {
  access_token: string;
  refresh_token: string;
}

async function register(pool: Pool): Promise<Person> {
  const email = `${randomUUID()}@example.com`;
  const tokens = await post(pool, '/auth/register', { email, password: PASSWORD });
  return { pool, email, refreshToken: tokens.refresh_token };
}

function post(pool: Pool, path: string, body: object): Promise<Tokens> {
  return send(pool, path, JSON.stringify(body), { 'content-type': 'application/json' });
}

async function send(
  pool: Pool,
  path: string,
  body: string,
  headers: Record<string, string>,
): Promise<Tokens> {
  return JSON.parse(await ask(pool, { method: 'POST', path, body, headers })) as Tokens;
}

async function ask(pool: Pool, request: Dispatcher.RequestOptions): Promise<string> {
  const answer = await pool.request(request);
  const text = await answer.body.text();
  if (answer.statusCode >= 300) {
    throw new Error(`${request.path}: ${answer.statusCode} ${text}`);
  }
  return text;
}
