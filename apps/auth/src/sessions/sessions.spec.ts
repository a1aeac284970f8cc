import {
  endingOf,
  logIn,
  PASSWORD,
  refresh,
  register,
  sidOf,
  startAuth,
} from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';

let auth: RunningAuth;

beforeAll(async () => {
  auth = await startAuth();
});

describe('logging out', () => {
  it('ends the session, and does no harm the second time', async () => {
    const { access_token: token, refresh_token } = await register(auth);
    expect((await auth.call('POST', '/auth/logout', { token })).status).toBe(204);
    expect((await refresh(auth, refresh_token)).status).toBe(401);
    expect((await auth.call('POST', '/auth/logout', { token })).status).toBe(204);
    expect(await endingOf(auth, token)).toBe('logout');
    const answer = await auth.call('GET', '/auth/me', { token });
    expect(answer.status).toBe(401);
    expect(answer.body.code).toBe('token_revoked');
    // As the guard says it: for both kinds of tokens, and with the algorithms of proofs.
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer realm="urn:signet:api", .*error="invalid_token".*, DPoP realm="urn:signet:api", .*algs="/,
    );
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
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
      id: await sidOf(auth, token),
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
    const id = await sidOf(auth, first.access_token);
    const token = second.access_token;
    expect((await auth.call('DELETE', `/auth/sessions/${id}`, { token })).status).toBe(204);
    expect((await refresh(auth, first.refresh_token)).status).toBe(401);
    expect((await auth.call('DELETE', `/auth/sessions/${id}`, { token })).status).toBe(404);
    expect((await refresh(auth, second.refresh_token)).status).toBe(200);
  });

  it('of someone else do not exist', async () => {
    const victim = await register(auth);
    const { access_token: token } = await register(auth);
    const id = await sidOf(auth, victim.access_token);
    expect((await auth.call('DELETE', `/auth/sessions/${id}`, { token })).status).toBe(404);
    expect((await refresh(auth, victim.refresh_token)).status).toBe(200);
  });
});
