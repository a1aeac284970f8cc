import { endingOf, refresh, register, sidOf, startAuth, verify } from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';

let auth: RunningAuth;

beforeAll(async () => {
  auth = await startAuth();
});

describe('refreshing', () => {
  it('exchanges the refresh token for a new one of the same session', async () => {
    const first = await register(auth);
    const second = await refresh(auth, first.refresh_token);
    expect(second.status).toBe(200);
    expect(second.headers.get('cache-control')).toBe('no-store');
    expect(second.body).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'api' });
    expect(second.body.refresh_token).not.toBe(first.refresh_token);
    const before = (await verify(auth, first.access_token)).payload;
    const after = (await verify(auth, second.body.access_token)).payload;
    expect(after).toMatchObject({ sid: before.sid, sub: before.sub, auth_time: before.auth_time });
    expect(after.jti).not.toBe(before.jti);
    expect((await refresh(auth, second.body.refresh_token)).status).toBe(200);
  });

  it('takes a token that comes a second time for stolen, and ends the session', async () => {
    const first = await register(auth);
    const second = await refresh(auth, first.refresh_token);
    const replay = await refresh(auth, first.refresh_token);
    expect(replay.status).toBe(401);
    expect(replay.body.code).toBe('invalid_grant');
    expect((await refresh(auth, second.body.refresh_token)).status).toBe(401);
    expect(await endingOf(auth, second.body.access_token)).toBe('token_reuse');
  });

  it('lets one of fifty refreshes at the same time win, and then ends the session', async () => {
    for (let round = 0; round < 3; round++) {
      const { refresh_token: token } = await register(auth);
      const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(auth, token)));
      const [winner, ...others] = answers.filter(({ status }) => status === 200);
      expect(others).toHaveLength(0);
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(49);
      expect((await refresh(auth, winner?.body.refresh_token ?? '')).status).toBe(401);
      expect(await endingOf(auth, winner?.body.access_token ?? '')).toBe('token_reuse');
      expect(
        await auth.query(
          'select * from engine_records where grant_id is not null and not exists (select 1 from grants where id = grant_id)',
        ),
      ).toEqual([]);
    }
  });

  it('brings the roles as they are now', async () => {
    const user = await register(auth);
    await auth.query(`update users set roles = '{customer,warehouse}' where email = $1`, [
      user.email,
    ]);
    const { body } = await refresh(auth, user.refresh_token);
    expect((await verify(auth, body.access_token)).payload.roles).toEqual([
      'customer',
      'warehouse',
    ]);
  });

  it('is over when the account is disabled', async () => {
    const user = await register(auth);
    await auth.query('update users set disabled_at = now() where email = $1', [user.email]);
    expect((await refresh(auth, user.refresh_token)).status).toBe(401);
  });

  it('is over when the session was not used for too long', async () => {
    const user = await register(auth);
    await auth.query(
      `update sessions set expires_at = now() - interval '1 second' where sid = $1`,
      [await sidOf(auth, user.access_token)],
    );
    expect((await refresh(auth, user.refresh_token)).status).toBe(401);
  });

  it.each(['', 'not-a-token', `a'; drop table users; --`, '\u0000', 'x'.repeat(512)])(
    'refuses %j, which never was a refresh token',
    async (token) => {
      expect([400, 401]).toContain((await refresh(auth, token)).status);
    },
  );

  it('is the same path as the token endpoint of OAuth', async () => {
    const user = await register(auth);
    const form = {
      grant_type: 'refresh_token',
      client_id: 'first-party',
      refresh_token: user.refresh_token,
    };
    const answer = await auth.call('POST', '/oauth/token', { form });
    expect(answer.status).toBe(200);
    expect((await refresh(auth, answer.body.refresh_token)).status).toBe(200);
    const replay = await auth.call('POST', '/oauth/token', { form });
    expect(replay).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});
