import { refresh, register, sidOf, startAuth, verify } from '../testing/running-auth.js';
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

  it('keeps the session alive, but never beyond its absolute limit', async () => {
    const user = await register(auth);
    const sid = await sidOf(auth, user.access_token);
    const daysLeft = async () => {
      const [row] = await auth.query<{ days: number }>(
        `select round(extract(epoch from expires_at - now()) / 86400)::int as days
         from sessions where sid = $1`,
        [sid],
      );
      return row?.days;
    };
    await auth.query(`update sessions set expires_at = now() + interval '1 hour' where sid = $1`, [
      sid,
    ]);
    const { body } = await refresh(auth, user.refresh_token);
    expect(await daysLeft()).toBe(14);
    await auth.query(`update sessions set created_at = now() - interval '85 days' where sid = $1`, [
      sid,
    ]);
    expect((await refresh(auth, body.refresh_token)).status).toBe(200);
    expect(await daysLeft()).toBe(5);
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
    const retried = await auth.call('POST', '/oauth/token', { form });
    expect(retried.body.refresh_token).toBe(answer.body.refresh_token);
    expect((await refresh(auth, answer.body.refresh_token)).status).toBe(200);
    const replay = await auth.call('POST', '/oauth/token', { form });
    expect(replay).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});
