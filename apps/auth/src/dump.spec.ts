import {
  KEY_ENCRYPTION_KEY,
  logIn,
  ORDERS_SECRET,
  PASSWORD,
  refresh,
  register,
  startAuth,
} from './testing/running-auth.js';
import type { RunningAuth, Tokens } from './testing/running-auth.js';

let auth: RunningAuth;
let email: string;
/** Whatever was handed out, or is known to someone, and must not be found. */
let secrets: string[];
let last: Tokens;
let dump: unknown[];

beforeAll(async () => {
  auth = await startAuth({ environment: { SIGNET_LOGIN_ATTEMPTS: '10000' } });
  const first = await register(auth);
  ({ email } = first);
  const { body: second } = await refresh(auth, first.refresh_token);
  const { body: again } = await refresh(auth, first.refresh_token);
  ({ body: last } = await logIn(auth, email));
  const credentials = Buffer.from(`orders:${ORDERS_SECRET}`).toString('base64');
  const { body: service } = await auth.call('POST', '/oauth/token', {
    form: {
      grant_type: 'client_credentials',
      resource: 'urn:signet:payments',
      scope: 'payments:charge',
    },
    headers: { authorization: `Basic ${credentials}` },
  });
  secrets = [
    ...[PASSWORD, ORDERS_SECRET, KEY_ENCRYPTION_KEY, service.access_token],
    ...[first, second, again, last].flatMap((tokens) => [
      tokens.refresh_token,
      tokens.access_token,
    ]),
  ];
  dump = await everyRow();
});

async function everyRow(): Promise<unknown[]> {
  const tables = await auth.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const rows = await Promise.all(tables.map(({ name }) => auth.query(`select * from ${name}`)));
  return rows.flat();
}

/** Every text in a value, with the parts of those that are made of parts. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value, ...value.split(/[.$:\s]+/)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

it('the database holds nothing that was handed out, in any of its usual spellings', () => {
  const text = JSON.stringify(dump);
  expect(text).toContain(email);
  for (const secret of secrets) {
    for (const encoding of ['utf8', 'base64', 'base64url', 'hex'] as const) {
      expect(text).not.toContain(Buffer.from(secret).toString(encoding));
    }
  }
  // Private members of an RSA JWK.
  expect(text).not.toMatch(/"(d|p|q|dp|dq|qi)\\?":/);
});

it('whatever can be read there opens nothing', async () => {
  const texts = [...new Set(textsIn(dump))].filter((text) => /^[\x21-\x7e]{8,2000}$/.test(text));
  expect(texts.length).toBeGreaterThan(20);
  for (const text of texts) {
    const client = Buffer.from(`orders:${encodeURIComponent(text)}`).toString('base64');
    const answers = await Promise.all([
      refresh(auth, text),
      auth.call('POST', '/oauth/token', {
        form: { grant_type: 'refresh_token', client_id: 'first-party', refresh_token: text },
      }),
      auth.call('POST', '/oauth/token', {
        form: {
          grant_type: 'client_credentials',
          resource: 'urn:signet:payments',
          scope: 'payments:charge',
        },
        headers: { authorization: `Basic ${client}` },
      }),
      auth.call('GET', '/auth/me', { token: text }),
      auth.call('GET', '/auth/me', { headers: { cookie: `__Host-signet-refresh=${text}` } }),
    ]);
    for (const { status } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
  }
  const likely = texts.filter((text) => text.startsWith('$argon2id') || text.length === 43);
  for (const text of likely.slice(0, 20)) expect((await logIn(auth, email, text)).status).toBe(401);
  // None of which did any harm.
  expect((await refresh(auth, last.refresh_token)).status).toBe(200);
});
