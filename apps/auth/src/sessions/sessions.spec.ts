import {
  logIn,
  newEmail,
  PASSWORD,
  refresh,
  register,
  startAuth,
  verify,
  someText,
  someNumber,
} from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';

let auth: RunningAuth;

beforeAll(async () => {
  auth = await startAuth();
});

describe('logging in', () => {
  it('answers tokens as OAuth names them, and tells caches to keep nothing', async () => {
    const { email } = await register(auth);
    const answer = await logIn(auth, email);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      access_token: someText,
      token_type: 'Bearer',
      expires_in: 600,
      refresh_token: someText,
      scope: 'api',
    });
  });

  it('gives a token that says who, for whom, since when and with which roles', async () => {
    const { email } = await register(auth);
    const before = Math.floor(Date.now() / 1000) - 1;
    const { body } = await logIn(auth, email);
    const { payload, header } = await verify(auth, body.access_token);
    expect(header).toEqual({ alg: 'RS256', typ: 'at+jwt', kid: someText });
    expect(payload).toEqual({
      iss: 'http://127.0.0.1:3000',
      aud: 'urn:signet:api',
      sub: someText,
      client_id: 'first-party',
      jti: someText,
      sid: someText,
      roles: ['customer'],
      scope: 'api',
      acr: 'urn:signet:acr:password',
      amr: ['pwd'],
      auth_time: someNumber,
      iat: someNumber,
      exp: someNumber,
    });
    expect(payload.auth_time).toBeGreaterThanOrEqual(before);
    expect(payload.exp - payload.iat).toBe(600);
  });

  it('answers a wrong password, an unknown address and a disabled account alike', async () => {
    const { email } = await register(auth);
    const disabled = await register(auth);
    await auth.query('update users set disabled_at = now() where email = $1', [disabled.email]);
    const answers = await Promise.all([
      logIn(auth, email, 'not the password at all'),
      logIn(auth, newEmail(), PASSWORD),
      logIn(auth, disabled.email, PASSWORD),
    ]);
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.body).toEqual(answers[0].body);
    }
    expect(answers[0].body.code).toBe('invalid_credentials');
  });

  it('knows an address in any case', async () => {
    const { email } = await register(auth);
    expect((await logIn(auth, email.toUpperCase())).status).toBe(200);
  });
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
    expect(await endingOf(second.body.access_token)).toBe('token_reuse');
  });

  it('lets one of fifty refreshes at the same time win, and then ends the session', async () => {
    for (let round = 0; round < 3; round++) {
      const { refresh_token: token } = await register(auth);
      const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(auth, token)));
      const [winner, ...others] = answers.filter(({ status }) => status === 200);
      expect(others).toHaveLength(0);
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(49);
      expect((await refresh(auth, winner?.body.refresh_token ?? '')).status).toBe(401);
      expect(await endingOf(winner?.body.access_token ?? '')).toBe('token_reuse');
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
      [await sidOf(user.access_token)],
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

describe('logging out', () => {
  it('ends the session, and does no harm the second time', async () => {
    const { access_token: token, refresh_token } = await register(auth);
    expect((await auth.call('POST', '/auth/logout', { token })).status).toBe(204);
    expect((await refresh(auth, refresh_token)).status).toBe(401);
    expect((await auth.call('POST', '/auth/logout', { token })).status).toBe(204);
    expect(await endingOf(token)).toBe('logout');
    const answer = await auth.call('GET', '/auth/me', { token });
    expect(answer.status).toBe(401);
    expect(answer.body.code).toBe('token_revoked');
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('everywhere ends every session of the user and of nobody else', async () => {
    const user = await register(auth);
    const other = await register(auth);
    const { body: second } = await logIn(auth, user.email);
    const { status } = await auth.call('POST', '/auth/logout-all', { token: second.access_token });
    expect(status).toBe(204);
    expect((await refresh(auth, user.refresh_token)).status).toBe(401);
    expect((await refresh(auth, second.refresh_token)).status).toBe(401);
    expect((await refresh(auth, other.refresh_token)).status).toBe(200);
  });

  it('and refreshing at the same time end with no session that lives on', async () => {
    const users = await Promise.all(Array.from({ length: 25 }, () => register(auth)));
    await Promise.all(
      users.map(async ({ access_token: token, refresh_token }) => {
        const [logout, refreshed] = await Promise.all([
          auth.call('POST', '/auth/logout', { token }),
          refresh(auth, refresh_token),
        ]);
        expect(logout.status).toBe(204);
        expect([200, 401]).toContain(refreshed.status);
        const last = refreshed.status === 200 ? refreshed.body.refresh_token : refresh_token;
        expect((await refresh(auth, last)).status).toBe(401);
      }),
    );
  });
});

describe('sessions', () => {
  it('are listed for their user, the newest first, page by page', async () => {
    const { email } = await register(auth);
    await auth.call('POST', '/auth/login', {
      json: { email, password: PASSWORD },
      headers: { 'user-agent': 'a phone' },
    });
    const { body: last } = await logIn(auth, email);
    const token = last.access_token;
    const page = await auth.call('GET', '/auth/sessions?limit=2', { token });
    expect(page.status).toBe(200);
    expect(page.body.items).toHaveLength(2);
    expect(page.body.items[0]).toMatchObject({
      id: await sidOf(token),
      clientId: 'first-party',
      address: '127.0.0.1',
      current: true,
    });
    expect(page.body.items[1]).toMatchObject({ userAgent: 'a phone', current: false });
    const rest = await auth.call('GET', `/auth/sessions?limit=2&cursor=${page.body.nextCursor}`, {
      token,
    });
    expect(rest.body.items).toHaveLength(1);
    expect(rest.body.nextCursor).toBeNull();
  });

  it('can be ended one by one by their user', async () => {
    const first = await register(auth);
    const { body: second } = await logIn(auth, first.email);
    const id = await sidOf(first.access_token);
    const token = second.access_token;
    expect((await auth.call('DELETE', `/auth/sessions/${id}`, { token })).status).toBe(204);
    expect((await refresh(auth, first.refresh_token)).status).toBe(401);
    expect((await auth.call('DELETE', `/auth/sessions/${id}`, { token })).status).toBe(404);
    expect((await refresh(auth, second.refresh_token)).status).toBe(200);
  });

  it('of someone else do not exist', async () => {
    const victim = await register(auth);
    const { access_token: token } = await register(auth);
    const id = await sidOf(victim.access_token);
    expect((await auth.call('DELETE', `/auth/sessions/${id}`, { token })).status).toBe(404);
    expect((await refresh(auth, victim.refresh_token)).status).toBe(200);
  });
});

async function sidOf(token: string): Promise<string> {
  return (await verify(auth, token)).payload.sid;
}

async function endingOf(token: string): Promise<string | null | undefined> {
  const [row] = await auth.query<{ ending: string | null }>(
    'select ending from sessions where sid = $1',
    [await sidOf(token)],
  );
  return row?.ending;
}
