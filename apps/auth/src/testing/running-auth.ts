import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createTestDatabase } from '@signet/database/testing';
import type { TestDatabase } from '@signet/database/testing';
import { createService } from '@signet/http';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import pg from 'pg';
import { randomBytes, randomUUID } from 'node:crypto';
import { authService } from '../auth-service.module.js';
import { authConfig } from '../config.js';

export const ISSUER = 'http://127.0.0.1:3000';
export const ORDERS_SECRET = 'secret-of-the-orders-client-in-tests';
export const PASSWORD = 'correct horse battery staple';

/** What answers have in them. Which of it is there depends on the route; a test knows. */
export interface Body extends Tokens {
  code: string;
  detail: string;
  error: string;
  disabledAt: string | null;
  items: { id: string; kid: string; state: string }[];
  nextCursor: string | null;
  keys: Record<string, string>[];
  kid: string;
  token_endpoint: string;
  grant_types_supported: string[];
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  body: Body;
}

export const someText: unknown = expect.any(String);
export const someNumber: unknown = expect.any(Number);

export interface Call {
  token?: string;
  json?: unknown;
  form?: Record<string, string>;
  /** Text as it is, with the content type of JSON. */
  raw?: string;
  headers?: Record<string, string>;
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
}

export interface RunningAuth {
  url: string;
  app: NestFastifyApplication;
  database: TestDatabase;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Ends the service; its database stays for another one. */
  stop(): Promise<void>;
}

export interface Options {
  environment?: Record<string, string>;
  /** An earlier service's, to start on what it left behind. */
  database?: TestDatabase;
}

export const KEY_ENCRYPTION_KEY = randomBytes(32).toString('base64url');

const running = new Set<RunningAuth>();
const databases = new Set<TestDatabase>();

/** However a test ends, nothing of what it started goes on. */
afterAll(async () => {
  await Promise.all([...running].map((auth) => auth.stop()));
  await Promise.all([...databases].map((database) => database.drop()));
});

/** An auth service of its own, over HTTP, on a real database. Ends with the spec, or by `stop()`. */
export async function startAuth(options: Options = {}): Promise<RunningAuth> {
  const database = options.database ?? (await createTestDatabase());
  databases.add(database);
  const app = await createService(authService(configOf(database, options)));
  try {
    await app.listen(0, '127.0.0.1');
  } catch (error) {
    await app.close();
    throw error;
  }
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  // Dropping the database may cut a connection that is about to close.
  pool.on('error', () => undefined);
  const url = await app.getUrl();
  const auth: RunningAuth = {
    url,
    app,
    database,
    call: (method, path, call = {}) => callOver(url, method, path, call),
    query: async <Row extends object>(text: string, values?: unknown[]) =>
      (await pool.query<Row>(text, values)).rows,
    stop: async () => {
      running.delete(auth);
      await pool.end();
      await app.close();
    },
  };
  running.add(auth);
  return auth;
}

function configOf(database: TestDatabase, { environment }: Options) {
  return authConfig({
    DATABASE_URL: database.url,
    LOG_LEVEL: 'fatal',
    RATE_LIMIT_PER_MINUTE: '100000',
    SIGNET_KEY_ENCRYPTION_KEY: KEY_ENCRYPTION_KEY,
    SIGNET_COOKIE_SECRET: 'secret-that-signs-cookies-in-the-tests',
    SIGNET_ORDERS_CLIENT_SECRET: ORDERS_SECRET,
    SIGNET_REGISTRATIONS_PER_HOUR: '1000',
    ...environment,
  });
}

/** Registers someone new, unless `email` says who. */
export async function register(
  auth: RunningAuth,
  email = newEmail(),
): Promise<Tokens & { email: string }> {
  const answer = await auth.call('POST', '/auth/register', { json: { email, password: PASSWORD } });
  if (answer.status !== 201) throw new Error(`not registered: ${JSON.stringify(answer.body)}`);
  return { ...answer.body, email };
}

export function logIn(auth: RunningAuth, email: string, password = PASSWORD): Promise<Answer> {
  return auth.call('POST', '/auth/login', { json: { email, password } });
}

export function refresh(auth: RunningAuth, refreshToken: string): Promise<Answer> {
  return auth.call('POST', '/auth/refresh', { json: { refresh_token: refreshToken } });
}

export interface Verified {
  payload: { sub: string; sid: string; iat: number; exp: number } & Record<string, unknown>;
  header: { kid?: string };
}

/** What a verifier that is not ours reads out of the token, by the published keys. */
export async function verify(
  auth: RunningAuth,
  token: string,
  audience = 'urn:signet:api',
): Promise<Verified> {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', auth.url));
  const { payload, protectedHeader } = await jwtVerify<Verified['payload']>(token, keys, {
    issuer: ISSUER,
    audience,
    typ: 'at+jwt',
    algorithms: ['RS256'],
  });
  return { payload, header: protectedHeader };
}

export async function sidOf(auth: RunningAuth, token: string): Promise<string> {
  return (await verify(auth, token)).payload.sid;
}

/** Why the session of this token ended; null while it has not. */
export async function endingOf(
  auth: RunningAuth,
  token: string,
): Promise<string | null | undefined> {
  const sid = await sidOf(auth, token);
  const text = 'select ending from sessions where sid = $1';
  const [session] = await auth.query<{ ending: string | null }>(text, [sid]);
  return session?.ending;
}

export function newEmail(): string {
  return `${randomUUID()}@example.com`;
}

async function callOver(url: string, method: string, path: string, call: Call): Promise<Answer> {
  const headers = new Headers(call.headers);
  if (call.token !== undefined) headers.set('authorization', `Bearer ${call.token}`);
  const text = call.raw ?? (call.json === undefined ? undefined : JSON.stringify(call.json));
  if (text !== undefined) headers.set('content-type', 'application/json');
  const body = text ?? (call.form && new URLSearchParams(call.form));
  const response = await fetch(new URL(path, url), { method, headers, ...(body && { body }) });
  return answerOf(response.status, response.headers, await response.text());
}

function answerOf(status: number, headers: Headers, text: string): Answer {
  const isJson = headers.get('content-type')?.includes('json') && text !== '';
  return { status, headers, text, body: (isJson ? JSON.parse(text) : {}) as Body };
}
