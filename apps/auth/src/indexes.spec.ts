import { createTestDatabase } from '@signet/database/testing';
import pg from 'pg';
import { Sweeper } from './sessions/sweeper.js';
import { basic, OWN_PAGE, redeem, signedIn, WATCHER } from './testing/applications.js';
import { logIn, PASSWORD, register, startAuth, verify } from './testing/running-auth.js';
import type { RunningAuth } from './testing/running-auth.js';
import { setTimeout as sleep } from 'node:timers/promises';

/** Those that grow with users and what they do. */
const LARGE = ['engine_records', 'grants', 'revocations', 'sessions', 'throttles', 'users'];

const ADMIN = { email: 'root@example.com', password: PASSWORD, roles: ['admin'] };

/** What people and applications do all day, and what clears up after them. */
async function useAll(auth: RunningAuth): Promise<void> {
  const call = async (...words: Parameters<RunningAuth['call']>) => {
    const answer = await auth.call(...words);
    if (answer.status >= 300) throw new Error(`${words[1]}: ${answer.text}`);
    return answer.body;
  };
  const { email, refresh_token } = await register(auth);
  // The second time as if the answer had been lost.
  await call('POST', '/auth/refresh', { json: { refresh_token } });
  await call('POST', '/auth/refresh', { json: { refresh_token } });
  const login = { email, password: PASSWORD };
  const { access_token: token } = await call('POST', '/auth/login', { json: login });
  const { items } = await call('GET', '/auth/sessions', { token });
  await call('DELETE', `/auth/sessions/${items.at(-1)?.id ?? ''}`, { token });
  await call('GET', '/auth/me', { token });
  const change = { currentPassword: PASSWORD, newPassword: `${PASSWORD} again` };
  await call('POST', '/auth/password', { token, json: change });
  const { body: granted } = await redeem(auth, await signedIn(auth));
  const form = { token: granted.access_token };
  await call('POST', '/oauth/introspect', { form, headers: basic(WATCHER) });
  await call('GET', '/oauth/userinfo', { token: granted.access_token });
  const revoked = { token: granted.refresh_token, client_id: OWN_PAGE.client_id };
  await call('POST', '/oauth/revoke', { form: revoked });
  const { sub } = (await verify(auth, token)).payload;
  const { body: admin } = await logIn(auth, ADMIN.email);
  const roles = { token: admin.access_token, json: { roles: ['customer'] } };
  await call('PUT', `/admin/users/${sub}/roles`, roles);
  await call('POST', '/auth/logout-all', { token });
  await auth.app.get(Sweeper).sweep();
}

/** How often each was read from end to end. Connections tell when they end. */
async function fullReads(client: pg.Client): Promise<Record<string, string>> {
  const others = `select from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
  while ((await client.query(others)).rowCount) await sleep(20);
  const { rows } = await client.query<{ relname: string; seq_scan: string }>(
    'select relname, seq_scan from pg_stat_user_tables where relname = any($1)',
    [LARGE],
  );
  return Object.fromEntries(rows.map(({ relname, seq_scan }) => [relname, seq_scan]));
}

it('no table that grows is read from end to end, whatever is asked of the service', async () => {
  const database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  // So small a table would be read as a whole although there is an index. Now only where there is none.
  await client.query(`do $$ begin
    execute format('alter database %I set enable_seqscan = off', current_database());
  end $$`);
  const environment = {
    SIGNET_CLIENTS: JSON.stringify([OWN_PAGE, WATCHER]),
    SIGNET_SEED_ACCOUNTS: JSON.stringify([ADMIN]),
  };
  // The first start makes the tables and reads them for their indexes.
  await (await startAuth({ database, environment })).stop();
  const before = await fullReads(client);
  const auth = await startAuth({ database, environment });
  await useAll(auth);
  await auth.stop();
  const after = await fullReads(client);
  await client.end();
  expect(Object.keys(after).sort()).toEqual(LARGE);
  expect(after).toEqual(before);
});
