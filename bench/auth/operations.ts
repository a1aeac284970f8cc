import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';
import type { Sample } from '../rounds.ts';
import type { AuthService } from './service.ts';

const PASSWORD = 'correct horse battery staple';

/** At once: the service hashes so many passwords before it says that it is busy. */
const REGISTERING = 16;

/** What is asked of the service, over and over: one answer for one call. */
export interface Operations {
  /** Of a service that answers without doing anything. */
  answerNothing: () => Promise<Sample>;
  /** Of the engine at its token endpoint: the answer to a browser's preflight. */
  preflight: () => Promise<Sample>;
  logIn: () => Promise<Sample>;
  /** By the token endpoint of OAuth, as the applications of others do. */
  refresh: () => Promise<Sample>;
  /** By `POST /auth/refresh`, as one's own do. */
  refreshByJson: () => Promise<Sample>;
  clientCredentials: () => Promise<Sample>;
  close: () => Promise<void>;
}

/**
 * @param options.atOnce people who use the service at the same time
 * @param options.seconds that one sample takes
 */
export async function operationsOn(
  service: AuthService,
  { atOnce, seconds }: { atOnce: number; seconds: number },
): Promise<Operations> {
  const pool = new Pool(service.url, { connections: atOnce });
  const people: Person[] = [];
  while (people.length < atOnce) {
    people.push(...(await Promise.all(Array.from({ length: REGISTERING }, () => register(pool)))));
  }
  const basic = Buffer.from(`orders:${service.clientSecret}`).toString('base64');
  const preflight = { origin: 'http://127.0.0.1', 'access-control-request-method': 'POST' };

  const used = async () => {
    const cpu = await service.cpu();
    const { user, system } = process.cpuUsage();
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
    answerNothing: measured(() => ask(pool, { method: 'GET', path: '/health/live' })),
    preflight: measured(() =>
      ask(pool, { method: 'OPTIONS', path: '/oauth/token', headers: preflight }),
    ),
    logIn: measured(({ email }) => post(pool, '/auth/login', { email, password: PASSWORD })),
    refresh: measured(async (person) => {
      const tokens = await sendForm(pool, {
        ...{ grant_type: 'refresh_token', client_id: 'first-party' },
        refresh_token: person.refreshToken,
      });
      person.refreshToken = tokens.refresh_token;
    }),
    refreshByJson: measured(async (person) => {
      const { refreshToken: refresh_token } = person;
      person.refreshToken = (await post(pool, '/auth/refresh', { refresh_token })).refresh_token;
    }),
    clientCredentials: measured(() =>
      sendForm(
        pool,
        {
          ...{ grant_type: 'client_credentials', resource: 'urn:signet:payments' },
          scope: 'payments:charge',
        },
        { authorization: `Basic ${basic}` },
      ),
    ),
    close: () => pool.close(),
  };
}

interface Person {
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
  return { email, refreshToken: tokens.refresh_token };
}

function post(pool: Pool, path: string, body: object): Promise<Tokens> {
  return send(pool, path, JSON.stringify(body), { 'content-type': 'application/json' });
}

function sendForm(
  pool: Pool,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Tokens> {
  return send(pool, '/oauth/token', new URLSearchParams(form).toString(), {
    ...headers,
    'content-type': 'application/x-www-form-urlencoded',
  });
}

async function send(
  pool: Pool,
  path: string,
  body: string,
  headers: Record<string, string>,
): Promise<Tokens> {
  return JSON.parse(await ask(pool, { method: 'POST', path, body, headers })) as Tokens;
}

/** With less around it than undici's `request` has: the load shares the machine with what it measures. */
function ask(pool: Pool, request: Dispatcher.DispatchOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    let status = 0;
    let text = '';
    pool.dispatch(request, {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, statusCode) => {
        status = statusCode;
      },
      onResponseData: (_controller, chunk) => {
        text += chunk.toString();
      },
      onResponseEnd: () => {
        if (status < 300) resolve(text);
        else reject(new Error(`${request.path}: ${status} ${text}`));
      },
      onResponseError: (_controller, error) => {
        reject(error);
      },
    });
  });
}
