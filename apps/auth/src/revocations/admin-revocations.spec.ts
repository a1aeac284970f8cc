import { createRemoteJWKSet, jwtVerify } from 'jose';
import { setTimeout as sleep } from 'node:timers/promises';
import { logIn, PASSWORD, register, startAuth, verify } from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';
import type { RevocationView } from './revocation.schema.js';

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

async function list(
  query: string,
): Promise<{ items: RevocationView[]; nextCursor: string | null }> {
  const { body } = await auth.call('GET', `/admin/revocations${query}`, { token });
  return body as unknown as Awaited<ReturnType<typeof list>>;
}

/** The only one about a session, once it is published. */
async function published(sid: string): Promise<RevocationView & { token: string }> {
  for (;;) {
    const [entry] = (await list(`?subject=${sid}`)).items;
    if (typeof entry?.token === 'string') return { ...entry, token: entry.token };
    await sleep(10);
  }
}

describe('the record of revocations', () => {
  it('has each with who did it and why, and signed', async () => {
    const { payload: user } = await verify(auth, (await register(auth)).access_token);
    await auth.call('PUT', `/admin/users/${user.sub}/roles`, {
      token,
      json: { roles: ['support'] },
    });
    const entry = await published(user.sid);
    expect(entry).toMatchObject({
      ...{ kind: 'session', subject: user.sid, cause: 'roles_changed', actor: admin },
    });

    const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', auth.url));
    const { payload } = await jwtVerify(entry.token, keys, {
      ...{ typ: 'secevent+jwt', audience: 'urn:signet:revocations' },
    });
    expect(payload).toMatchObject({
      ...{ seq: entry.seq, before: entry.before, until: entry.until },
      sub_id: { format: 'opaque', id: user.sid },
    });
    const [head, claims, signature = ''] = entry.token.split('.');
    const other = Buffer.from(JSON.stringify({ ...payload, before: 0 })).toString('base64url');
    expect(claims).not.toBe(other);
    await expect(jwtVerify(`${head}.${other}.${signature}`, keys)).rejects.toThrow('signature');
  });

  it('is read page by page, the newest first', async () => {
    for (let times = 0; times < 3; times++) {
      await auth.call('POST', '/auth/logout', { token: (await register(auth)).access_token });
    }
    const first = await list('?limit=2');
    const second = await list(`?limit=2&cursor=${first.nextCursor ?? ''}`);
    const ids = [...first.items, ...second.items].map(({ id }) => Number(id));
    expect(ids).toEqual([...new Set(ids)].sort((one, other) => other - one));
    expect(ids).toHaveLength(4);
  });

  it('is for administrators', async () => {
    const { access_token: own } = await register(auth);
    expect((await auth.call('GET', '/admin/revocations')).status).toBe(401);
    expect((await auth.call('GET', '/admin/revocations', { token: own })).status).toBe(403);
  });

  it.each(['?cursor=made-up', '?order=at', '?subject=%00'])('does not take %s', async (query) => {
    expect((await auth.call('GET', `/admin/revocations${query}`, { token })).status).toBe(400);
  });
});
