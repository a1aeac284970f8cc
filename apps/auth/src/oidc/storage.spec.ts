import pg from 'pg';
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { SessionStore } from '../sessions/session-store.js';
import { Sweeper } from '../sessions/sweeper.js';
import { logIn, PASSWORD, refresh, register, startAuth, verify } from '../testing/running-auth.js';
import type { Answer, RunningAuth } from '../testing/running-auth.js';
import { RecordAdapter } from './record-adapter.js';
import { UnitOfWork } from './unit-of-work.js';

let auth: RunningAuth;

beforeAll(async () => {
  auth = await startAuth({ environment: { SIGNET_LOGIN_ATTEMPTS: '1000' } });
});

function adapterOf(model: string, secret = 'shared by the replicas'): RecordAdapter {
  const { app } = auth;
  return new RecordAdapter(model, app.get(UnitOfWork), app.get(SessionStore), secret);
}

describe('what the engine stores', () => {
  it('is found by what it is asked for, and by nothing that is written in the database', async () => {
    const devices = adapterOf('DeviceCode');
    const code = randomBytes(32).toString('base64url');
    await devices.upsert(code, { jti: code, userCode: 'WDJB-MJHT', clientId: 'tv' }, 600);
    expect(await devices.find(code)).toMatchObject({ jti: code, clientId: 'tv' });
    expect(await devices.findByUserCode('WDJB-MJHT')).toMatchObject({ userCode: 'WDJB-MJHT' });
    expect(await devices.findByUserCode('OTHER')).toBeUndefined();
    expect(await adapterOf('RefreshToken').find(code)).toBeUndefined();
    const [row] = await auth.query<{ hash: string }>(
      `select * from engine_records where model = 'DeviceCode'`,
    );
    expect(JSON.stringify(row)).not.toContain('WDJB');
    expect(await devices.find(row?.hash ?? '')).toBeUndefined();
    expect(await devices.find(`.handle.${row?.hash ?? ''}`)).toBeUndefined();
    // Short codes cannot be tried out on a copy of the database.
    const elsewhere = adapterOf('DeviceCode', 'somebody else');
    expect(await elsewhere.findByUserCode('WDJB-MJHT')).toBeUndefined();
  });

  it('keeps the secrets of others readable only to who brings the record’s own value', async () => {
    const interactions = adapterOf('Interaction');
    const session = { cookie: 'the session cookie of a browser' };
    await interactions.upsert('an-interaction', { jti: 'an-interaction', session }, 600);
    expect(await interactions.find('an-interaction')).toMatchObject({ session });
    const rows = await auth.query(`select * from engine_records where model = 'Interaction'`);
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain('cookie');
  });

  it('is there once when it must be, however many ask at the same time', async () => {
    const proofs = adapterOf('ReplayDetection');
    const attempts = Array.from({ length: 10 }, () => proofs.upsert('a-proof', { iss: 'x' }, 600));
    const results = await Promise.allSettled(attempts);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('can be stored again by who found it without its value', async () => {
    const devices = adapterOf('DeviceCode');
    const code = randomBytes(32).toString('base64url');
    await devices.upsert(code, { jti: code, userCode: 'BBBB-CCCC' }, 600);
    const found = await devices.findByUserCode('BBBB-CCCC');
    const replica = adapterOf('DeviceCode');
    await replica.upsert(found?.jti ?? '', { ...found, accountId: 'ada' }, 600);
    expect(await devices.find(code)).toMatchObject({ jti: code, accountId: 'ada' });
    expect(await devices.findByUserCode('BBBB-CCCC')).toMatchObject({ accountId: 'ada' });
  });

  it('is gone once it has expired, and its row soon after', async () => {
    const sessions = adapterOf('Session');
    await sessions.upsert('a-session', { jti: 'a-session', uid: 'u1' }, 600);
    expect(await sessions.findByUid('u1')).toMatchObject({ uid: 'u1' });
    await auth.query(
      `update engine_records set expires_at = now() - interval '1 second' where uid = 'u1'`,
    );
    expect(await sessions.find('a-session')).toBeUndefined();
    expect(await sessions.findByUid('u1')).toBeUndefined();
    await auth.app.get(Sweeper).sweep();
    expect(await auth.query(`select 1 from engine_records where uid = 'u1'`)).toEqual([]);
  });
});

it('changes nothing at a refresh that an index is on, so that PostgreSQL leaves all indexes alone', async () => {
  const columns = '(consumed_at|sealed_value|last_used_at)';
  const indexes = await auth.query(
    `select indexname from pg_indexes where (tablename in ('engine_records', 'sessions') and indexdef ~ $1)
       or (tablename = 'sessions' and indexdef ~ 'expires_at')`,
    [columns],
  );
  expect(indexes).toEqual([]);
});

it('clears away more than a batch of what expired, and nothing else', async () => {
  await auth.query(`insert into engine_records (model, hash, payload, expires_at)
    select 'Session', 'old-' || number, '{}', now() - interval '1 minute'
    from generate_series(1, 2500) number`);
  const user = await register(auth);
  await auth.app.get(Sweeper).sweep();
  expect(await auth.query(`select 1 from engine_records where hash like 'old-%'`)).toEqual([]);
  expect((await refresh(auth, user.refresh_token)).status).toBe(200);
});

it('clears away sessions that expired, and says so of them', async () => {
  const user = await register(auth);
  const { sid } = (await verify(auth, user.access_token)).payload;
  await auth.query(`update grants set expires_at = now() - interval '1 second' where id = $1`, [
    sid,
  ]);
  await auth.query(`update sessions set expires_at = now() - interval '1 second' where sid = $1`, [
    sid,
  ]);
  await auth.app.get(Sweeper).sweep();
  expect(await auth.query('select ending from sessions where sid = $1', [sid])).toEqual([
    { ending: 'expired' },
  ]);
  expect(await auth.query('select 1 from engine_records where grant_id = $1', [sid])).toEqual([]);
  expect((await refresh(auth, user.refresh_token)).status).toBe(401);
});

it('takes back everything that a request wrote before it failed', async () => {
  const user = await register(auth);
  await auth.query(`create function refuse() returns trigger language plpgsql
    as $$ begin raise exception 'the disk is full'; end $$`);
  await auth.query(`create trigger refuse before insert on engine_records
    for each row execute function refuse()`);
  const failed = await refresh(auth, user.refresh_token);
  const login = await logIn(auth, user.email);
  await auth.query('drop trigger refuse on engine_records');
  expect([failed.status, login.status]).toEqual([500, 500]);
  expect(failed.text).not.toContain('disk');
  expect(
    await auth.query(
      'select 1 from sessions s where not exists (select 1 from grants where id = s.sid) and ended_at is null',
    ),
  ).toEqual([]);
  expect((await refresh(auth, user.refresh_token)).status).toBe(200);
});

describe('two who change the same session', () => {
  let other: pg.Client;

  beforeEach(async () => {
    other = new pg.Client({ connectionString: auth.database.url });
    await other.connect();
    await other.query('begin');
  });

  afterEach(() => other.end());

  /** Until a query of the service waits for what `other` holds. */
  async function somebodyWaits(): Promise<void> {
    const waiting = `select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    while ((await auth.query(waiting)).length === 0) await setTimeout(10);
  }

  it('wait for each other in one order, and never for ever', async () => {
    const user = await register(auth);
    const { sid } = (await verify(auth, user.access_token)).payload;
    await other.query('select 1 from grants where id = $1 for update', [sid]);
    const refreshing = refresh(auth, user.refresh_token);
    await somebodyWaits();
    await other.query('delete from grants where id = $1', [sid]);
    await other.query('commit');
    expect((await refreshing).status).toBe(401);
  });

  it('leave no login behind that the new password does not open', async () => {
    const user = await register(auth);
    await other.query(`update users set password_hash = 'another' where email = $1`, [user.email]);
    const loggingIn = logIn(auth, user.email);
    await somebodyWaits();
    await other.query('commit');
    expect((await loggingIn).status).toBe(401);
  });
});

it('never answers 5xx, however refreshes, replays and endings of sessions meet', async () => {
  for (let round = 0; round < 5; round++) {
    const first = await register(auth);
    const others = await Promise.all([logIn(auth, first.email), logIn(auth, first.email)]);
    const tokens = [first, ...others.map(({ body }) => body)];
    const { access_token: token } = first;
    const json = { currentPassword: PASSWORD, newPassword: 'another good password' };
    const { sub } = (await verify(auth, token)).payload;
    const calls: Promise<Answer>[] = [
      ...tokens.flatMap(({ refresh_token }) =>
        Array.from({ length: 8 }, () => refresh(auth, refresh_token)),
      ),
      ...tokens.map((each) => auth.call('POST', '/auth/logout', { token: each.access_token })),
      auth.call('POST', '/auth/logout-all', { token }),
      auth.call('POST', '/auth/password', { token, json }),
      logIn(auth, first.email),
    ];
    const disabling = auth.query('update users set disabled_at = now() where id = $1', [sub]);
    const answers = await Promise.all(calls);
    await Promise.all([disabling, auth.app.get(Sweeper).sweep()]);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    for (const { body } of answers.filter(({ status }) => status === 200)) {
      expect((await refresh(auth, body.refresh_token)).status).toBe(401);
    }
  }
});
