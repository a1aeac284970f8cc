import { fromLine, keySource, REVOCATION_FEED, RevocationFollower } from '@signet/auth-guard';
import type { Principal, Revocation } from '@signet/auth-guard';
import { createTestDatabase } from '@signet/database/testing';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ISSUER,
  logIn,
  PASSWORD,
  refresh,
  register,
  startAuth,
  verify,
} from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';
import { UnitOfWork } from '../oidc/unit-of-work.js';
import { RevocationLog } from './revocation-log.js';

const ADMIN = { email: 'admin@signet.test', password: PASSWORD, roles: ['admin'] };
const environment = {
  SIGNET_SEED_ACCOUNTS: JSON.stringify([ADMIN]),
  DATABASE_POOL_SIZE: '26',
};

const followers: RevocationFollower[] = [];

afterAll(async () => {
  await Promise.all(followers.map((follower) => follower.close()));
});

async function follow(auth: RunningAuth): Promise<RevocationFollower> {
  const jwksUri = `${auth.url}/.well-known/jwks.json`;
  const keys = keySource({ jwksUri }, { issuer: ISSUER });
  await keys.start?.();
  const feed = { url: `${auth.url}/revocations` };
  const follower = new RevocationFollower(feed, { issuer: ISSUER, keys });
  followers.push(follower);
  await follower.start();
  return follower;
}

async function principalOf(auth: RunningAuth, token: string): Promise<Principal> {
  const { payload } = await verify(auth, token);
  const { sid, iat, client_id } = payload;
  return { sessionId: sid, clientId: client_id, issuedAt: iat } as Principal;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(5);
}

async function entriesOf(auth: RunningAuth): Promise<Revocation[]> {
  const [, ...lines] = (await auth.call('GET', '/revocations')).text.trimEnd().split('\n');
  return lines.map((line) => fromLine(line)).filter((entry) => entry !== undefined);
}

describe('the feed of revocations', () => {
  let auth: RunningAuth;
  let other: RunningAuth;
  let here: RevocationFollower;
  let there: RevocationFollower;
  let admin: string;

  beforeAll(async () => {
    auth = await startAuth({ environment });
    other = await startAuth({ environment, database: auth.database });
    [here, there] = await Promise.all([follow(auth), follow(other)]);
    admin = (await logIn(auth, ADMIN.email)).body.access_token;
  });

  const idOf = async (token: string) => (await verify(auth, token)).payload.sub;

  it.each<[string, (user: Awaited<ReturnType<typeof register>>) => Promise<unknown>]>([
    ['logout', ({ access_token: token }) => auth.call('POST', '/auth/logout', { token })],
    [
      'logout everywhere',
      ({ access_token: token }) => auth.call('POST', '/auth/logout-all', { token }),
    ],
    [
      'ending it from another session',
      async ({ access_token, email }) => {
        const { sid } = (await verify(auth, access_token)).payload;
        const { body } = await logIn(other, email);
        return auth.call('DELETE', `/auth/sessions/${sid}`, { token: body.access_token });
      },
    ],
    [
      'a new password',
      async ({ email }) => {
        const { body } = await logIn(auth, email);
        return auth.call('POST', '/auth/password', {
          token: body.access_token,
          json: { currentPassword: PASSWORD, newPassword: 'another good password' },
        });
      },
    ],
    [
      'a refresh token that came twice',
      async ({ refresh_token }) => {
        const { body } = await refresh(auth, refresh_token);
        await refresh(auth, body.refresh_token);
        return refresh(other, refresh_token);
      },
    ],
    [
      'an administrator who ends the sessions',
      async ({ access_token }) =>
        auth.call('DELETE', `/admin/users/${await idOf(access_token)}/sessions`, { token: admin }),
    ],
    [
      'an administrator who disables the account',
      async ({ access_token }) =>
        auth.call('POST', `/admin/users/${await idOf(access_token)}/disable`, { token: admin }),
    ],
    [
      'other roles',
      async ({ access_token }) =>
        auth.call('PUT', `/admin/users/${await idOf(access_token)}/roles`, {
          token: admin,
          json: { roles: ['support'] },
        }),
    ],
  ])('voids the tokens of a login at %s, on every replica', async (_cause, bringAbout) => {
    const user = await register(auth);
    const principal = await principalOf(auth, user.access_token);
    expect([here.isRevoked(principal), there.isRevoked(principal)]).toEqual([false, false]);
    await bringAbout(user);
    await until(() => here.isRevoked(principal) && there.isRevoked(principal));
  });

  it('voids the tokens that a client got for itself when it is disabled, and no later ones', async () => {
    const registered = await auth.call('POST', '/admin/clients', {
      token: admin,
      json: {
        client_name: 'Reports',
        grant_types: ['client_credentials'],
        audiences: { 'urn:signet:inventory': ['inventory:reserve'] },
      },
    });
    const { client_id, client_secret } = registered.body as unknown as Record<string, string>;
    const ask = async () => {
      const answer = await auth.call('POST', '/oauth/token', {
        headers: {
          authorization: `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`,
        },
        form: { grant_type: 'client_credentials', scope: 'inventory:reserve' },
      });
      const { payload } = await verify(auth, answer.body.access_token, 'urn:signet:inventory');
      return { clientId: payload.client_id, issuedAt: payload.iat } as Principal;
    };
    const before = await ask();
    await auth.call('POST', `/admin/clients/${client_id}/disable`, { token: admin });
    await until(() => here.isRevoked(before) && there.isRevoked(before));
    await auth.call('POST', `/admin/clients/${client_id}/enable`, { token: admin });
    const after = await ask();
    expect([here.isRevoked(after), there.isRevoked(after)]).toEqual([false, false]);
  });

  it('lets a client go on after a change of roles with one refresh, within the same second too', async () => {
    for (let round = 0; round < 5; round++) {
      const user = await register(auth);
      const path = `/admin/users/${await idOf(user.access_token)}/roles`;
      const old = await principalOf(auth, user.access_token);
      await auth.call('PUT', path, { token: admin, json: { roles: ['support'] } });
      const { body } = await refresh(other, user.refresh_token);
      const { payload } = await verify(auth, body.access_token);
      expect(payload.roles).toEqual(['support']);
      expect(payload.exp - payload.iat).toBe(600);
      const fresh = await principalOf(auth, body.access_token);
      await until(() => here.isRevoked(old) && there.isRevoked(old));
      expect([here.isRevoked(fresh), there.isRevoked(fresh)]).toEqual([false, false]);
      expect(fresh.issuedAt - Date.now() / 1000).toBeLessThanOrEqual(1);
    }
  });

  it('never lets a token with the old roles through that is issued during the change', async () => {
    const user = await register(auth);
    const path = `/admin/users/${await idOf(user.access_token)}/roles`;
    const logins = Array.from({ length: 8 }, () => logIn(other, user.email));
    const changed = auth.call('PUT', path, { token: admin, json: { roles: ['warehouse'] } });
    const issued = (await Promise.all(logins)).map(({ body }) => body.access_token);
    expect((await changed).status).toBe(200);
    for (const token of issued) {
      const { payload } = await verify(auth, token);
      if (!(payload.roles as string[]).includes('customer')) continue;
      const principal = await principalOf(auth, token);
      await until(() => here.isRevoked(principal));
    }
  });

  it('says nothing of a session that goes on, and nothing when the change is undone', async () => {
    const user = await register(auth);
    const principal = await principalOf(auth, user.access_token);
    const unit = auth.app.get(UnitOfWork, { strict: false });
    const log = auth.app.get(RevocationLog, { strict: false });
    const undone = unit.write(async (transaction) => {
      await log.record(transaction, {
        ...{ kind: 'session', ids: [principal.sessionId ?? ''], cause: 'revoked', actor: null },
        concerns: 'all',
      });
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    const { seq } = here.status;
    await auth.call('POST', '/auth/logout', { token: (await register(auth)).access_token });
    await until(() => here.status.seq === (seq ?? 0) + 1);
    expect(here.isRevoked(principal)).toBe(false);
  });

  it('is a Security Event Token with a CAEP event, and tells no names', async () => {
    const user = await register(auth);
    const { sid, sub } = (await verify(auth, user.access_token)).payload;
    await auth.call('POST', '/auth/logout', { token: user.access_token });
    const published = async () =>
      (
        await auth.query<{ token: string | null }>(
          'select token from revocations where subject = $1',
          [sid],
        )
      )[0]?.token;
    await until(async () => !!(await published()));
    const token = (await published()) ?? '';
    const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', auth.url));
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer: ISSUER,
      audience: 'urn:signet:revocations',
    });
    expect(protectedHeader).toMatchObject({ typ: 'secevent+jwt', alg: 'RS256' });
    expect(payload).toMatchObject({ sub_id: { format: 'opaque', id: sid } });
    expect(Object.keys(payload.events as object)).toEqual([REVOCATION_FEED.sessionRevoked]);
    expect(payload).not.toHaveProperty('exp');
    for (const name of [user.email, sub, 'logout']) {
      expect(JSON.stringify(payload)).not.toContain(name);
    }
  });

  it('comes as a snapshot that caches may keep for a moment, compressed', async () => {
    const plain = await fetch(`${auth.url}/revocations`, {
      headers: { 'accept-encoding': 'identity' },
    });
    expect(plain.headers.get('cache-control')).toBe('public, max-age=1');
    const etag = plain.headers.get('etag') ?? '';
    const again = await fetch(`${auth.url}/revocations`, { headers: { 'if-none-match': etag } });
    expect([200, 304]).toContain(again.status);
    const zipped = await fetch(`${auth.url}/revocations`, {
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(zipped.headers.get('content-encoding')).toBe('gzip');
  });

  it('tells a follower to begin anew when it asks for what is not there', async () => {
    const headers = { 'last-event-id': '999999999' };
    const answer = await auth.call('GET', '/revocations/stream', { headers });
    expect([answer.status, answer.body.code]).toEqual([410, 'revocations_gone']);
  });

  it('reaches every follower in full, however 50 writers’ commits are ordered', async () => {
    const log = auth.app.get(RevocationLog, { strict: false });
    const units = [auth, other].map(({ app }) => app.get(UnitOfWork, { strict: false }));
    const late = await follow(auth);
    const written = await Promise.all(
      Array.from({ length: 50 }, async (_, writer) => {
        const ids = Array.from({ length: 1 + (writer % 3) }, () => randomUUID());
        await sleep(Math.random() * 50);
        await units[writer % 2]?.write(async (transaction) => {
          await log.record(transaction, {
            ...{ kind: 'session', ids, cause: 'revoked', actor: null, concerns: 'all' },
          });
          // The first to write are the last to commit.
          await sleep((50 - writer) * 4 * Math.random());
        });
        return ids;
      }),
    );
    const early = await follow(other);
    const last = async () => {
      const [row] = await auth.query<{ count: string; seq: string }>(
        'select count(*), max(seq) as seq from revocations',
      );
      return row?.count === row?.seq ? Number(row?.seq) : NaN;
    };
    await until(async () => Number.isInteger(await last()));
    const seq = await last();
    const all = [here, there, late, early];
    await until(() => all.every(({ status }) => status.seq === seq));
    const inTable = await auth.query<{ subject: string }>('select subject from revocations');
    for (const follower of all) {
      const knows = (id: string) =>
        follower.isRevoked({ sessionId: id, clientId: '', issuedAt: 0 } as Principal);
      expect(
        inTable.filter(({ subject }) => !knows(subject) && !/^[0-9a-f-]{36}$/.test(subject)),
      ).toEqual([]);
      expect(written.flat().every(knows)).toBe(true);
      expect(Object.values(follower.status.refused).every((count) => count === 0)).toBe(true);
    }
    const subjects = new Set(inTable.map(({ subject }) => subject));
    for (const replica of [auth, other]) {
      await until(async () => (await entriesOf(replica)).length === subjects.size);
      expect(new Set((await entriesOf(replica)).map(({ id }) => id))).toEqual(subjects);
    }
  });
});

describe('an entry that was committed and not published', () => {
  it('is published by whoever starts next', async () => {
    const database = await createTestDatabase();
    const first = await startAuth({ database });
    const user = await register(first);
    const principal = await principalOf(first, user.access_token);
    await first.app.close();
    const [row] = await first.query<{ subject: string }>(
      `insert into revocations (kind, subject, until, cause, txn)
       values ('session', $1, extract(epoch from now()) + 600, 'logout', gen_random_uuid())
       returning subject`,
      [principal.sessionId],
    );
    expect(row?.subject).toBe(principal.sessionId);
    const second = await startAuth({ database });
    const follower = await follow(second);
    expect(follower.isRevoked(principal)).toBe(true);
  });
});
