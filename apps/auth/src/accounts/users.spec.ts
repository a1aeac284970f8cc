import {
  logIn,
  newEmail,
  PASSWORD,
  refresh,
  register,
  startAuth,
  verify,
  someText,
} from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';

const ADMIN = 'root@example.com';

let auth: RunningAuth;
let token: string;
let adminId: string;

beforeAll(async () => {
  const seeds = [{ email: ADMIN, password: PASSWORD, roles: ['admin'] }];
  auth = await startAuth({ environment: { SIGNET_SEED_ACCOUNTS: JSON.stringify(seeds) } });
});

beforeEach(async () => {
  token = (await logIn(auth, ADMIN)).body.access_token;
  adminId = (await verify(auth, token)).payload.sub;
});

const idOf = async (access: string) => (await verify(auth, access)).payload.sub;

describe('an administrator', () => {
  it('finds accounts by a part of their address, and sees no hash', async () => {
    const { email, access_token } = await register(auth);
    const { body } = await auth.call(
      'GET',
      `/admin/users?email=${email.slice(5, 30).toUpperCase()}`,
      { token },
    );
    expect(body).toEqual({
      items: [
        {
          id: await idOf(access_token),
          email,
          roles: ['customer'],
          createdAt: someText,
          disabledAt: null,
        },
      ],
      nextCursor: null,
    });
  });

  it('sees every account exactly once, page by page', async () => {
    await Promise.all(Array.from({ length: 5 }, () => register(auth)));
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await auth.call('GET', `/admin/users?limit=2${cursor}`, { token });
      seen.push(...body.items.map(({ id }) => id));
      cursor = body.nextCursor ? `&cursor=${body.nextCursor}` : '';
    } while (cursor);
    const rows = await auth.query<{ id: string }>('select id from users order by created_at, id');
    expect(seen).toEqual(rows.map(({ id }) => id));
  });

  it('gives roles, which are in the next token', async () => {
    const user = await register(auth);
    const id = await idOf(user.access_token);
    const json = { roles: ['warehouse', 'customer', 'customer'] };
    const answer = await auth.call('PUT', `/admin/users/${id}/roles`, { token, json });
    expect(answer).toMatchObject({ status: 200, body: { id, roles: ['customer', 'warehouse'] } });
    const { body } = await refresh(auth, user.refresh_token);
    expect((await verify(auth, body.access_token)).payload.roles).toEqual([
      'customer',
      'warehouse',
    ]);
  });

  it('takes roles away from a token that is still good elsewhere', async () => {
    const other = await register(auth);
    const id = await idOf(other.access_token);
    await auth.call('PUT', `/admin/users/${id}/roles`, { token, json: { roles: ['admin'] } });
    const { body: promoted } = await refresh(auth, other.refresh_token);
    const read = () => auth.call('GET', '/admin/users', { token: promoted.access_token });
    expect((await read()).status).toBe(200);
    await auth.call('PUT', `/admin/users/${id}/roles`, { token, json: { roles: [] } });
    expect(await read()).toMatchObject({ status: 401, body: { code: 'token_revoked' } });
  });

  it('closes an account at once and opens it again without its sessions', async () => {
    const user = await register(auth);
    const id = await idOf(user.access_token);
    const closed = await auth.call('POST', `/admin/users/${id}/disable`, { token });
    expect(closed.body.disabledAt).toEqual(someText);
    expect((await auth.call('GET', '/auth/me', { token: user.access_token })).status).toBe(401);
    expect((await refresh(auth, user.refresh_token)).status).toBe(401);
    expect((await logIn(auth, user.email)).status).toBe(401);
    const opened = await auth.call('POST', `/admin/users/${id}/enable`, { token });
    expect(opened.body.disabledAt).toBeNull();
    expect((await refresh(auth, user.refresh_token)).status).toBe(401);
    expect((await logIn(auth, user.email)).status).toBe(200);
  });

  it('sees the sessions of a user, and ends one of them', async () => {
    const first = await register(auth);
    const { body: second } = await logIn(auth, first.email);
    const path = `/admin/users/${await idOf(first.access_token)}/sessions`;
    const { sid } = (await verify(auth, first.access_token)).payload;
    const listed = await auth.call('GET', `${path}?limit=1`, { token });
    expect(listed.body.items).toMatchObject([{ address: '127.0.0.1', current: false }]);
    expect(listed.body.nextCursor).toEqual(someText);
    expect((await auth.call('DELETE', `${path}/${sid}`, { token })).status).toBe(204);
    expect((await refresh(auth, first.refresh_token)).status).toBe(401);
    expect((await refresh(auth, second.refresh_token)).status).toBe(200);
    expect((await auth.call('GET', path, { token })).body.items).toHaveLength(1);
    expect((await auth.call('DELETE', `${path}/${sid}`, { token })).status).toBe(404);
    const entries = await auth.query(`select actor, action from audit_events where subject = $1`, [
      sid,
    ]);
    expect(entries).toEqual([{ actor: adminId, action: 'session.ended' }]);
  });

  it('does not end the session of a user in the name of another', async () => {
    const user = await register(auth);
    const { sid } = (await verify(auth, user.access_token)).payload;
    const path = `/admin/users/${adminId}/sessions/${sid}`;
    expect((await auth.call('DELETE', path, { token })).status).toBe(404);
    expect((await refresh(auth, user.refresh_token)).status).toBe(200);
  });

  it('ends all sessions of a user', async () => {
    const user = await register(auth);
    const path = `/admin/users/${await idOf(user.access_token)}/sessions`;
    expect((await auth.call('DELETE', path, { token })).status).toBe(204);
    expect((await refresh(auth, user.refresh_token)).status).toBe(401);
  });

  it('cannot take away the last administrator', async () => {
    for (const [method, path, json] of [
      ['PUT', `/admin/users/${adminId}/roles`, { roles: ['customer'] }],
      ['POST', `/admin/users/${adminId}/disable`, undefined],
    ] as const) {
      const answer = await auth.call(method, path, { token, ...(json && { json }) });
      expect(answer).toMatchObject({ status: 409, body: { code: 'last_admin' } });
    }
    expect((await auth.call('GET', `/admin/users/${adminId}`, { token })).body).toMatchObject({
      roles: ['admin'],
      disabledAt: null,
    });
  });

  it('and another one, when each takes the role from the other, leave one of them', async () => {
    const second = await register(auth);
    const id = await idOf(second.access_token);
    await auth.call('PUT', `/admin/users/${id}/roles`, { token, json: { roles: ['admin'] } });
    const { body: promoted } = await refresh(auth, second.refresh_token);
    const answers = await Promise.all([
      auth.call('PUT', `/admin/users/${id}/roles`, { token, json: { roles: [] } }),
      auth.call('PUT', `/admin/users/${adminId}/roles`, {
        token: promoted.access_token,
        json: { roles: [] },
      }),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    await auth.query(`update users set roles = '{admin}' where id = $1`, [adminId]);
    await auth.query(`update users set roles = '{}' where id = $1`, [id]);
  });

  it.each([
    ['a role that does not exist', 'PUT', '/roles', { roles: ['emperor'] }, 400],
    ['roles that are no list', 'PUT', '/roles', { roles: 'admin' }, 400],
    ['a member that does not belong there', 'PUT', '/roles', { roles: [], email: 'x' }, 400],
  ])('is told about %s', async (_what, method, path, json, status) => {
    const answer = await auth.call(method, `/admin/users/${adminId}${path}`, { token, json });
    expect(answer).toMatchObject({ status, body: { code: 'validation_failed' } });
  });

  it.each([
    ['GET', '/admin/users/4ad5dd3b-5b5c-4f8e-9d5e-0d6b1d8f6a10', 404],
    ['POST', '/admin/users/4ad5dd3b-5b5c-4f8e-9d5e-0d6b1d8f6a10/disable', 404],
    ['POST', '/admin/users/4ad5dd3b-5b5c-4f8e-9d5e-0d6b1d8f6a10/enable', 404],
    ['DELETE', '/admin/users/4ad5dd3b-5b5c-4f8e-9d5e-0d6b1d8f6a10/sessions', 404],
    ['GET', '/admin/users/4ad5dd3b-5b5c-4f8e-9d5e-0d6b1d8f6a10/sessions', 404],
    ['GET', '/admin/users/not-an-id', 400],
    ['GET', '/admin/users?limit=0', 400],
    ['GET', '/admin/users?limit=1000', 400],
    ['GET', '/admin/users?cursor=made-up', 400],
    [
      'GET',
      `/admin/users?cursor=${Buffer.from('["0000-01-01T00:00:00Z","x"]').toString('base64url')}`,
      400,
    ],
    ['GET', '/admin/users?email=%00', 400],
    ['GET', '/admin/users?order=email', 400],
  ])('gets %s %s answered with %i', async (method, path, status) => {
    expect((await auth.call(method, path, { token })).status).toBe(status);
  });
});

it('shows administration to administrators alone', async () => {
  const { access_token: customer } = await register(auth);
  const id = await idOf(customer);
  for (const [method, path] of [
    ['GET', '/admin/users'],
    ['GET', `/admin/users/${id}`],
    ['PUT', `/admin/users/${id}/roles`],
    ['POST', `/admin/users/${id}/disable`],
    ['POST', `/admin/users/${id}/enable`],
    ['DELETE', `/admin/users/${id}/sessions`],
    ['GET', `/admin/users/${id}/sessions`],
    ['DELETE', `/admin/users/${id}/sessions/some-session`],
    ['GET', '/admin/keys'],
  ] as const) {
    expect((await auth.call(method, path)).status).toBe(401);
    const answer = await auth.call(method, path, { token: customer });
    expect(answer).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
  }
});

it('answers an administrator who was just closed out with 401', async () => {
  const email = newEmail();
  const { access_token } = await register(auth, email);
  await auth.query(`update users set roles = '{admin}' where email = $1`, [email]);
  const admin = (await logIn(auth, email)).body.access_token;
  await auth.call('POST', `/admin/users/${await idOf(access_token)}/disable`, { token });
  expect((await auth.call('GET', '/admin/users', { token: admin })).status).toBe(401);
});
