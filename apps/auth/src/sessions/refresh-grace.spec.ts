import pg from 'pg';
import { setTimeout } from 'node:timers/promises';
import { Sweeper } from './sweeper.js';
import { endingOf, refresh, register, sidOf, startAuth, verify } from '../testing/running-auth.js';
import type { Answer, RunningAuth, Tokens } from '../testing/running-auth.js';

let auth: RunningAuth;

beforeAll(async () => {
  auth = await startAuth();
});

async function exchange({ refresh_token }: Tokens): Promise<Tokens> {
  const answer = await refresh(auth, refresh_token);
  expect(answer.status).toBe(200);
  return answer.body;
}

/** Lets the time go by in which what was exchanged so far may come again. */
async function graceEnds({ access_token }: Tokens): Promise<void> {
  await auth.query(
    `update engine_records set consumed_at = consumed_at - interval '11 seconds' where grant_id = $1`,
    [await sidOf(auth, access_token)],
  );
}

async function expectEnded(...family: Tokens[]): Promise<void> {
  for (const { refresh_token, access_token } of family) {
    expect((await refresh(auth, refresh_token)).status).toBe(401);
    expect((await auth.call('GET', '/auth/me', { token: access_token })).status).toBe(401);
    expect(await endingOf(auth, access_token)).toBe('token_reuse');
  }
}

describe('a refresh token whose answer was lost', () => {
  it('may be sent again, and gets the same successor', async () => {
    const first = await register(auth);
    const second = await exchange(first);
    const again = await exchange(first);
    expect(again.refresh_token).toBe(second.refresh_token);
    const one = (await verify(auth, second.access_token)).payload;
    const other = (await verify(auth, again.access_token)).payload;
    expect(other.sid).toBe(one.sid);
    expect(other.jti).not.toBe(one.jti);
    await exchange(second);
  });

  it('may be sent again however often: no number of retries ends the session', async () => {
    const first = await register(auth);
    const second = await exchange(first);
    for (let retry = 0; retry < 30; retry++) {
      expect((await exchange(first)).refresh_token).toBe(second.refresh_token);
    }
    await exchange(second);
  });

  it('sent fifty times at once, by tabs that do not know of each other, logs nobody out', async () => {
    for (let round = 0; round < 3; round++) {
      const first = await register(auth);
      const answers = await Promise.all(Array.from({ length: 50 }, () => exchange(first)));
      const successors = new Set(answers.map(({ refresh_token }) => refresh_token));
      expect(successors.size).toBe(1);
      await exchange(answers[0] ?? first);
    }
  });

  it('gets nothing after a logout', async () => {
    const first = await register(auth);
    const second = await exchange(first);
    await auth.call('POST', '/auth/logout', { token: second.access_token });
    expect((await refresh(auth, first.refresh_token)).status).toBe(401);
    expect(await endingOf(auth, second.access_token)).toBe('logout');
  });
});

describe('a refresh token that comes again', () => {
  it('too late is taken for stolen, and ends the session of both holders', async () => {
    const first = await register(auth);
    const second = await exchange(first);
    await graceEnds(first);
    const replay = await refresh(auth, first.refresh_token);
    expect(replay).toMatchObject({ status: 401, body: { code: 'invalid_grant' } });
    await expectEnded(first, second);
  });

  it('after its successor was used ends the session, however soon', async () => {
    const first = await register(auth);
    const second = await exchange(first);
    const third = await exchange(second);
    expect((await refresh(auth, first.refresh_token)).status).toBe(401);
    await expectEnded(first, second, third);
  });

  it('has one generation of grace, and a retry of it does not make it two', async () => {
    const first = await register(auth);
    const second = await exchange(first);
    const third = await exchange(second);
    expect((await exchange(second)).refresh_token).toBe(third.refresh_token);
    expect((await refresh(auth, first.refresh_token)).status).toBe(401);
    await expectEnded(first, second, third);
  });

  it('does not have its grace renewed by a retry', async () => {
    const first = await register(auth);
    await exchange(first);
    await auth.query(`update engine_records set consumed_at = consumed_at - interval '6 seconds'`);
    const second = await exchange(first);
    await auth.query(`update engine_records set consumed_at = consumed_at - interval '6 seconds'`);
    expect((await refresh(auth, first.refresh_token)).status).toBe(401);
    await expectEnded(second);
  });

  it('is told to administrators once', async () => {
    const first = await register(auth);
    const second = await exchange(first);
    await exchange(second);
    for (let times = 0; times < 3; times++) await refresh(auth, first.refresh_token);
    const sid = await sidOf(auth, first.access_token);
    const { sub } = (await verify(auth, first.access_token)).payload;
    expect(
      await auth.query(
        'select action, actor, address, details from audit_events where subject = $1',
        [sid],
      ),
    ).toEqual([
      {
        action: 'session.token_reused',
        actor: 'first-party',
        address: '127.0.0.1',
        details: { user: sub },
      },
    ]);
  });

  it('is not given a successor that the sweeper has closed', async () => {
    const first = await register(auth);
    const second = await exchange(first);
    await auth.app.get(Sweeper).sweep();
    expect((await exchange(first)).refresh_token).toBe(second.refresh_token);
    await graceEnds(first);
    await auth.app.get(Sweeper).sweep();
    expect(
      await auth.query(
        'select 1 from engine_records where sealed_value is not null and grant_id = $1',
        [await sidOf(auth, first.access_token)],
      ),
    ).toEqual([]);
    await exchange(second);
  });
});

describe('a request that is refused', () => {
  it('does not cost the refresh token', async () => {
    const strict = await startAuth({ environment: { SIGNET_REFRESH_GRACE_SECONDS: '0' } });
    const { refresh_token } = await register(strict);
    const mistakes: Record<string, string>[] = [
      { resource: 'urn:signet:inventory' },
      { scope: 'api inventory:reserve' },
      { client_id: 'nobody' },
    ];
    for (const wrong of mistakes) {
      const form = {
        grant_type: 'refresh_token',
        client_id: 'first-party',
        refresh_token,
        ...wrong,
      };
      const { status } = await strict.call('POST', '/oauth/token', { form });
      expect([400, 401]).toContain(status);
    }
    expect((await refresh(strict, refresh_token)).status).toBe(200);
  });
});

describe('without grace', () => {
  it('every token works once, and one of fifty at the same time wins', async () => {
    const strict = await startAuth({ environment: { SIGNET_REFRESH_GRACE_SECONDS: '0' } });
    for (let round = 0; round < 3; round++) {
      const { refresh_token } = await register(strict);
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => refresh(strict, refresh_token)),
      );
      const [winner, ...others] = answers.filter(({ status }) => status === 200);
      expect(others).toHaveLength(0);
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(49);
      expect((await refresh(strict, winner?.body.refresh_token ?? '')).status).toBe(401);
      const token = winner?.body.access_token ?? '';
      expect(await endingOf(strict, token)).toBe('token_reuse');
      // So is the token that was issued in the midst of it, here and wherever the feed is followed.
      expect((await strict.call('GET', '/auth/me', { token })).status).toBe(401);
      const entries = 'select before from revocations where subject = $1';
      expect(await strict.query(entries, [await sidOf(strict, token)])).toEqual([{ before: null }]);
      expect(await strict.query('select 1 from engine_records where grant_id is not null')).toEqual(
        [],
      );
    }
    expect(
      await strict.query('select 1 from engine_records where sealed_value is not null'),
    ).toEqual([]);
  });
});

describe('what changes between the look at a token and the answer', () => {
  let other: pg.Client;

  beforeEach(async () => {
    other = new pg.Client({ connectionString: auth.database.url });
    await other.connect();
    await other.query('begin');
  });

  afterEach(() => other.end());

  /** Starts a refresh that has seen its token and now waits for the session, which `other` holds. */
  async function refreshThatWaits({ refresh_token, access_token }: Tokens) {
    const sid = await sidOf(auth, access_token);
    await other.query('select 1 from grants where id = $1 for update', [sid]);
    const answer: Promise<Answer> = refresh(auth, refresh_token);
    const waiting = `select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    while ((await auth.query(waiting)).length === 0) await setTimeout(10);
    return { answer, sid };
  }

  const useUp = (sid: string) =>
    other.query(
      `update engine_records set consumed_at = now(), sealed_value = null
       where grant_id = $1 and model = 'RefreshToken' and consumed_at is null`,
      [sid],
    );

  it('counts: a successor that was used meanwhile is not given out again', async () => {
    const first = await register(auth);
    const second = await exchange(first);
    const { answer, sid } = await refreshThatWaits(first);
    await useUp(sid);
    await other.query('commit');
    expect((await answer).status).toBe(401);
    await expectEnded(second);
  });

  it('counts: a token that was used meanwhile is not exchanged twice', async () => {
    const first = await register(auth);
    const { answer, sid } = await refreshThatWaits(first);
    await useUp(sid);
    await other.query('commit');
    expect((await answer).status).toBe(401);
    await expectEnded(first);
  });

  it('counts: a session that was ended meanwhile leaves no successor behind', async () => {
    const first = await register(auth);
    const { answer, sid } = await refreshThatWaits(first);
    await other.query('delete from grants where id = $1', [sid]);
    await other.query('commit');
    expect((await answer).status).toBe(401);
    expect(await auth.query('select 1 from engine_records where grant_id = $1', [sid])).toEqual([]);
  });
});
