import pg from 'pg';
import { randomUUID } from 'node:crypto';
import { logIn, PASSWORD, refresh, register, startAuth, verify } from '../testing/running-auth.js';
import type { RunningAuth, Tokens } from '../testing/running-auth.js';
import { sha256 } from './record-adapter.js';
import { RefreshBatches } from './refresh-batches.js';
import type { Exchange } from './refresh-statements.js';

const ADMIN = 'root@example.com';

let auth: RunningAuth;
let batches: RefreshBatches;
let admin: string;

beforeAll(async () => {
  const seeds = [{ email: ADMIN, password: PASSWORD, roles: ['admin'] }];
  auth = await startAuth({ environment: { SIGNET_SEED_ACCOUNTS: JSON.stringify(seeds) } });
  batches = auth.app.get(RefreshBatches);
  admin = (await logIn(auth, ADMIN)).body.access_token;
});

/** What a refresh would write now, had it just been signed. */
async function read({ refresh_token }: Tokens): Promise<Exchange> {
  const found = await batches.find(sha256(refresh_token));
  if (!found) throw new Error('there is no such token');
  const { hash, grant_id, version, payload } = found;
  return {
    ...{ hash, payload, sid: grant_id ?? '', version: version ?? '' },
    ...{ successor: sha256(randomUUID()), sealedValue: null },
    expiresAt: new Date(Date.now() + 60_000),
  };
}

async function recordsOf({ sid }: Exchange): Promise<number> {
  const text = `select 1 from engine_records where grant_id = $1 and consumed_at is null`;
  return (await auth.query(text, [sid])).length;
}

async function setRoles(user: Tokens, roles: string[]): Promise<void> {
  const { sub } = (await verify(auth, user.access_token)).payload;
  const answer = await auth.call('PUT', `/admin/users/${sub}/roles`, {
    token: admin,
    json: { roles },
  });
  expect(answer.status).toBe(200);
}

describe('refreshes that are written together', () => {
  it('are each of them there, or not, as if it were alone', async () => {
    const good = await Promise.all(
      Array.from({ length: 5 }, async () => read(await register(auth))),
    );
    const user = await register(auth);
    const late = await read(user);
    await refresh(auth, user.refresh_token);
    const twice = good[0] ? [{ ...good[0], successor: sha256('another') }] : [];
    const batch = [...good, late, ...twice].map((each) => batches.exchange(each));
    expect(await Promise.all(batch)).toEqual([true, true, true, true, true, false, false]);
    for (const each of [...good, late]) expect(await recordsOf(each)).toBe(1);
  });

  it('of one token leave one successor, however many there are', async () => {
    const first = await read(await register(auth));
    const all = Array.from({ length: 300 }, () => ({ ...first, successor: sha256(randomUUID()) }));
    const outcomes = await Promise.all(all.map((each) => batches.exchange(each)));
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    expect(await recordsOf(first)).toBe(1);
  });
});

describe('a batch that PostgreSQL refuses', () => {
  it('harms none of the refreshes in it but the one that is to blame', async () => {
    const users = await Promise.all(Array.from({ length: 6 }, () => register(auth)));
    const [first] = await Promise.all(users.map(read));
    // As if it had a successor already, which no exchange leaves behind.
    await auth.query(
      `insert into engine_records (model, hash, parent_hash, payload) values ('RefreshToken', 'stray', $1, '{}')`,
      [first?.hash],
    );
    const answers = await Promise.all(
      users.map(({ refresh_token }) => refresh(auth, refresh_token)),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toEqual([500, 200, 200, 200, 200, 200]);
  });
});

describe('a refresh that has been read and not yet written', () => {
  it.each<[string, (user: Tokens) => Promise<unknown>]>([
    ['the roles have changed', (user) => setRoles(user, ['customer', 'support'])],
    [
      'its session has ended',
      ({ access_token: token }) => auth.call('POST', '/auth/logout', { token }),
    ],
    ['its token was exchanged', ({ refresh_token }) => refresh(auth, refresh_token)],
  ])('is not written when %s', async (_what, happen) => {
    const user = await register(auth);
    const exchange = await read(user);
    await happen(user);
    expect(await batches.exchange(exchange)).toBe(false);
    const stored = 'select 1 from engine_records where hash = $1';
    expect(await auth.query(stored, [exchange.successor])).toEqual([]);
  });

  it.each(['grants where id', 'sessions where sid', 'engine_records where grant_id'])(
    'does not wait for who holds a row of %s = …, nor do those beside it',
    async (row) => {
      const held = await read(await register(auth));
      const free = await read(await register(auth));
      const other = new pg.Client({ connectionString: auth.database.url });
      await other.connect();
      await other.query('begin');
      await other.query(`select from ${row} = $1 for update`, [held.sid]);
      const outcomes = [held, free].map((each) => batches.exchange(each));
      expect(await Promise.all(outcomes)).toEqual([false, true]);
      await other.end();
    },
  );
});

it('no token says what was not so any more when it was handed out, unless it is void', async () => {
  const users = await Promise.all(Array.from({ length: 8 }, () => register(auth)));
  const end = Date.now() + 4_000;
  const issued: string[] = [];
  const refreshing = users.map(async (user) => {
    for (let { refresh_token } = user; Date.now() < end;) {
      const { status, body } = await refresh(auth, refresh_token);
      expect(status).toBe(200);
      issued.push(body.access_token);
      refresh_token = body.refresh_token;
    }
  });
  const changing = users.map(async (user) => {
    for (let time = 0; Date.now() < end; time++) {
      await setRoles(user, time % 2 === 0 ? ['customer', 'support'] : ['customer']);
    }
    await setRoles(user, ['customer', 'warehouse']);
  });
  await Promise.all([...refreshing, ...changing]);
  const voided = new Map<string, number>();
  const entries = 'select subject, before from revocations where before is not null';
  for (const { subject, before } of await auth.query<{ subject: string; before: string }>(
    entries,
  )) {
    voided.set(subject, Math.max(voided.get(subject) ?? 0, Number(before)));
  }
  const claims = await Promise.all(
    issued.map(async (token) => (await verify(auth, token)).payload),
  );
  const outdated = claims.filter(({ roles }) => String(roles) !== 'customer,warehouse');
  expect(outdated.length).toBeGreaterThan(100);
  expect(outdated.filter(({ sid, iat }) => iat >= (voided.get(sid) ?? 0))).toEqual([]);
});
