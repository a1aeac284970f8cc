import {
  logIn,
  newEmail,
  PASSWORD,
  register,
  someText,
  startAuth,
  verify,
} from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';

const ADMIN = 'root@example.com';

let auth: RunningAuth;
let token: string;
let admin: string;

beforeAll(async () => {
  const seeds = [{ email: ADMIN, password: PASSWORD, roles: ['admin'] }];
  auth = await startAuth({ environment: { SIGNET_SEED_ACCOUNTS: JSON.stringify(seeds) } });
  token = (await logIn(auth, ADMIN)).body.access_token;
  admin = (await verify(auth, token)).payload.sub;
});

async function newUser(): Promise<{ id: string; token: string }> {
  const user = await register(auth);
  return { id: (await verify(auth, user.access_token)).payload.sub, token: user.access_token };
}

const entriesAbout = async (subject: string) =>
  (await auth.call('GET', `/admin/audit?subject=${subject}`, { token })).body.items;

describe('the audit log', () => {
  it('says who did what to whom, when and from where', async () => {
    const { id } = await newUser();
    await auth.call('PUT', `/admin/users/${id}/roles`, { token, json: { roles: ['support'] } });
    const common = { id: someText, at: someText, actor: admin, subject: id, address: '127.0.0.1' };
    expect(await entriesAbout(id)).toEqual([
      {
        ...common,
        action: 'user.roles_changed',
        details: { before: ['customer'], after: ['support'] },
      },
    ]);
  });

  it('has what administrators do to accounts and sessions, the newest first', async () => {
    const { id } = await newUser();
    await auth.call('DELETE', `/admin/users/${id}/sessions`, { token });
    await auth.call('POST', `/admin/users/${id}/disable`, { token });
    await auth.call('POST', `/admin/users/${id}/enable`, { token });
    const entries = await entriesAbout(id);
    expect(entries).toMatchObject([
      { action: 'user.enabled' },
      { action: 'user.disabled' },
      { action: 'user.sessions_ended' },
    ]);
  });

  it('has a changed password, and not the password', async () => {
    const { id, token: own } = await newUser();
    const json = { currentPassword: PASSWORD, newPassword: 'another good password' };
    await auth.call('POST', '/auth/password', { token: own, json });
    expect(await entriesAbout(id)).toMatchObject([
      { action: 'user.password_changed', actor: id, details: null },
    ]);
  });

  it('has nothing of what was refused', async () => {
    const { id, token: own } = await newUser();
    await auth.call('POST', `/admin/users/${id}/disable`, { token: own });
    await logIn(auth, newEmail(), 'a wrong password');
    const { status } = await auth.call('PUT', `/admin/users/${admin}/roles`, {
      token,
      json: { roles: [] },
    });
    expect(status).toBe(409);
    expect(await entriesAbout(id)).toEqual([]);
    expect(await entriesAbout(admin)).toEqual([]);
  });

  it('is read page by page, without a gap', async () => {
    const { id } = await newUser();
    for (let times = 0; times < 5; times++) {
      await auth.call('DELETE', `/admin/users/${id}/sessions`, { token });
    }
    const seen: string[] = [];
    let cursor = '';
    do {
      const path = `/admin/audit?limit=2&subject=${id}&action=user.sessions_ended${cursor}`;
      const { body } = await auth.call('GET', path, { token });
      seen.push(...body.items.map((entry) => entry.id));
      cursor = body.nextCursor ? `&cursor=${body.nextCursor}` : '';
    } while (cursor);
    expect(new Set(seen).size).toBe(5);
    expect(seen).toEqual([...seen].sort((one, other) => Number(other) - Number(one)));
  });

  it.each(['?action=nothing', '?cursor=made-up', '?order=at', '?subject=%00'])(
    'does not take %s',
    async (query) => {
      expect((await auth.call('GET', `/admin/audit${query}`, { token })).status).toBe(400);
    },
  );

  it('is for administrators', async () => {
    const { token: own } = await newUser();
    expect((await auth.call('GET', '/admin/audit')).status).toBe(401);
    expect((await auth.call('GET', '/admin/audit', { token: own })).status).toBe(403);
  });
});
