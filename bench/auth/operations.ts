import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import type { Sample } from '../rounds.ts';
import type { AuthService } from './service.ts';

const PASSWORD = 'correct horse battery staple';

/** People who use the service at the same time. */
const AT_ONCE = 16;

/** What is asked of the service, over and over: one answer for one call. */
export interface Operations {
  logIn: () => Promise<Sample>;
  refresh: () => Promise<Sample>;
  clientCredentials: () => Promise<Sample>;
  close: () => Promise<void>;
}

/** @param seconds that one sample takes */
export async function operationsOn(service: AuthService, seconds: number): Promise<Operations> {
  const pool = new Pool(service.url, { connections: AT_ONCE });
  const people = await Promise.all(Array.from({ length: AT_ONCE }, () => register(pool)));
  const basic = Buffer.from(`orders:${service.clientSecret}`).toString('base64');
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    resource: 'urn:signet:payments',
    scope: 'payments:charge',
  }).toString();

  const measured = (operation: (person: Person) => Promise<unknown>) => async () => {
    const before = await service.cpu();
    const start = performance.now();
    let done = 0;
    await Promise.all(
      people.map(async (person) => {
        for (; performance.now() < start + seconds * 1000; done++) await operation(person);
      }),
    );
    const elapsed = (performance.now() - start) / 1000;
    return { rate: done / elapsed, cpu: ((await service.cpu()) - before) / done };
  };

  return {
    logIn: measured(({ email }) => post(pool, '/auth/login', { email, password: PASSWORD })),
    refresh: measured(async (person) => {
      const { refreshToken: refresh_token } = person;
      person.refreshToken = (await post(pool, '/auth/refresh', { refresh_token })).refresh_token;
    }),
    clientCredentials: measured(() =>
      send(pool, '/oauth/token', form, {
        authorization: `Basic ${basic}`,
        'content-type': 'application/x-www-form-urlencoded',
      }),
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

async function send(
  pool: Pool,
  path: string,
  body: string,
  headers: Record<string, string>,
): Promise<Tokens> {
  const answer = await pool.request({ method: 'POST', path, body, headers });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${path}: ${answer.statusCode} ${text}`);
  return JSON.parse(text) as Tokens;
}
