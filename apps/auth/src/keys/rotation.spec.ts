import { logIn, newEmail, PASSWORD, register, startAuth, verify } from '../testing/running-auth.js';
import type { Answer, RunningAuth } from '../testing/running-auth.js';
import { OidcEngine } from '../oidc/engine.js';
import { KeyRing, MAY_SIGN_MS } from './key-ring.js';
import { KeyRotator } from './key-rotator.js';

const ADMIN = 'root@example.com';

let auth: RunningAuth;
let token: string;

beforeAll(async () => {
  const seeds = [{ email: ADMIN, password: PASSWORD, roles: ['admin'] }];
  auth = await startAuth({ environment: { SIGNET_SEED_ACCOUNTS: JSON.stringify(seeds) } });
});

beforeEach(async () => {
  // Long enough ago for every verifier to know it.
  await auth.query(`update signing_keys set created_at = created_at - interval '1 hour'`);
  token = (await logIn(auth, ADMIN)).body.access_token;
});

const rotate = (json?: unknown): Promise<Answer> =>
  auth.call('POST', '/admin/keys/rotate', { token, ...(json !== undefined && { json }) });

async function kidOfNewToken(on = auth): Promise<string | undefined> {
  const { access_token } = await register(on);
  return (await verify(on, access_token)).header.kid;
}

const publishedKids = async (on = auth) =>
  (await on.call('GET', '/.well-known/jwks.json')).body.keys.map(({ kid }) => kid);

describe('rotating the keys', () => {
  it('signs with an announced key from then on, and tokens of the old one stay good', async () => {
    const before = await publishedKids();
    const old = await register(auth);
    const { status, body } = await rotate();
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'active' });
    expect(before).toContain(body.kid);
    expect(await kidOfNewToken()).toBe(body.kid);
    expect((await verify(auth, old.access_token)).header.kid).not.toBe(body.kid);
    expect((await auth.call('GET', '/auth/me', { token: old.access_token })).status).toBe(200);
    expect(await publishedKids()).toEqual(expect.arrayContaining(before));
  });

  it('announces another key each time, which is not yet signed with', async () => {
    const before = await publishedKids();
    await rotate();
    const announced = (await publishedKids()).filter((kid) => !before.includes(kid));
    expect(announced).toHaveLength(1);
    expect(announced).not.toContain(await kidOfNewToken());
  });

  it('never signs with a key that a verifier may not know, whoever asks for it', async () => {
    await rotate();
    await rotate();
    const active = await kidOfNewToken();
    for (const json of [{}, { withdraw: true }]) {
      const refused = await rotate(json);
      expect(refused).toMatchObject({ status: 409, body: { code: 'key_not_ready' } });
      const wait = Number(refused.headers.get('retry-after'));
      expect(wait).toBeGreaterThan(290);
      expect(wait).toBeLessThan(310);
    }
    expect(await kidOfNewToken()).toBe(active);
  });

  it('withdraws a key that leaked at once, and its tokens with it', async () => {
    const user = await register(auth);
    await rotate();
    const other = await register(auth);
    const { body } = await rotate({ withdraw: true });
    for (const { access_token } of [user, other]) {
      await expect(verify(auth, access_token)).rejects.toThrow();
      expect((await auth.call('GET', '/auth/me', { token: access_token })).status).toBe(401);
    }
    const kids = await publishedKids();
    expect(kids).toHaveLength(3);
    expect(kids[0]).toBe(body.kid);
    expect(
      await auth.query(
        `select 1 from signing_keys where state = 'removed' and envelope is not null`,
      ),
    ).toEqual([]);
  });

  it('leaves an entry in the audit log, with who asked for it', async () => {
    const { sub } = (await verify(auth, token)).payload;
    const { body } = await rotate({ withdraw: true });
    const entries = await auth.query(
      `select action from audit_events where actor = $1 and subject = $2`,
      [sub, body.kid],
    );
    expect(entries).toEqual([{ action: 'key.activated' }]);
    const withdrawn = await auth.query(
      `select 1 from audit_events where action = 'key.withdrawn' and actor = $1`,
      [sub],
    );
    expect(withdrawn.length).toBeGreaterThan(0);
  });

  it.each([{ withdraw: 'yes' }, { emergency: true }, []])('does not take %j', async (json) => {
    expect((await rotate(json)).status).toBe(400);
  });

  it('is for administrators', async () => {
    const { access_token } = await register(auth, newEmail());
    expect((await auth.call('POST', '/admin/keys/rotate')).status).toBe(401);
    const answer = await auth.call('POST', '/admin/keys/rotate', { token: access_token });
    expect(answer.status).toBe(403);
  });
});

describe('on several replicas', () => {
  it('a rotation on one is followed by the others', async () => {
    const other = await startAuth({ database: auth.database });
    const { body } = await rotate();
    await other.app.get(KeyRing, { strict: false }).reload();
    expect(await kidOfNewToken(other)).toBe(body.kid);
    expect(await publishedKids(other)).toEqual(await publishedKids());
  });

  it('those that rotate at the same time do so one after the other', async () => {
    const other = await startAuth({ database: auth.database });
    const rotators = [auth, other].map(({ app }) => app.get(KeyRotator, { strict: false }));
    const actor = { id: null, address: null };
    await Promise.all(rotators.map((rotator) => rotator.rotate('rotate', actor)));
    const active = await auth.query(`select kid from signing_keys where state = 'active'`);
    expect(active).toHaveLength(1);
    expect(await auth.query(`select 1 from signing_keys where state = 'next'`)).toHaveLength(2);
  });
});

describe('a replica that cannot read the keys any more', () => {
  afterEach(() => jest.restoreAllMocks());

  it('issues no token by any way, takes none, and says when to come back', async () => {
    const alone = await startAuth();
    const email = newEmail();
    const { access_token: token, refresh_token } = await register(alone, email);
    // Another replica has made a key under a key-encryption key that this one was not given yet.
    await alone.query(
      `insert into signing_keys (kid, state, public_jwk, envelope)
       select 'newer', 'next', public_jwk, 'v1.another.x.x.x' from signing_keys limit 1`,
    );
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + MAY_SIGN_MS);
    const refresh = { grant_type: 'refresh_token', client_id: 'first-party', refresh_token };
    const answers = await Promise.all([
      alone.call('POST', '/auth/login', { json: { email, password: PASSWORD } }),
      alone.call('POST', '/auth/register', { json: { email: newEmail(), password: PASSWORD } }),
      alone.call('POST', '/auth/refresh', { json: { refresh_token } }),
      alone.call('POST', '/oauth/token', { form: refresh }),
      alone.call('GET', '/auth/me', { token }),
      alone.call('GET', '/oauth/userinfo', { token }),
      // Neither "not active" nor "revoked" would be true.
      alone.call('POST', '/oauth/introspect', { form: { client_id: 'first-party', token } }),
      alone.call('POST', '/oauth/revoke', { form: { client_id: 'first-party', token } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
    expect(answers.every(({ headers }) => headers.has('retry-after'))).toBe(true);
    // Nor a logout token, which is tried again later.
    const { provider } = alone.app.get(OidcEngine);
    const client = await provider.Client.find('first-party');
    if (!client) throw new Error('there is no such client');
    const notice = new provider.IdToken({ sub: email }, { client });
    await expect(notice.issue({ use: 'logout' })).rejects.toThrow('no key that may sign');
  });
});

describe('a replica that loses sight of the keys while it serves a request', () => {
  afterEach(() => jest.restoreAllMocks());

  it('says when to come back wherever that happens, and has taken nothing', async () => {
    const { email, refresh_token } = await register(auth);
    const requests = [
      { path: '/auth/login', json: { email, password: PASSWORD } },
      { path: '/auth/refresh', json: { refresh_token } },
    ];
    const ring = auth.app.get(KeyRing, { strict: false });
    for (const { path, json } of requests) {
      for (let looks = 0; ; looks++) {
        const maySign = jest.spyOn(ring, 'maySign').mockReturnValue(false);
        for (let look = 0; look < looks; look++) maySign.mockReturnValueOnce(true);
        const answer = await auth.call('POST', path, { json });
        maySign.mockRestore();
        if (answer.status === 200) {
          // Asked before, on the way, and for the signature.
          expect(looks).toBeGreaterThanOrEqual(3);
          break;
        }
        expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable' } });
        expect(answer.headers.get('retry-after')).toBe('5');
      }
    }
  });
});

describe('the key set', () => {
  it('says for how long it may be kept, and is not sent again to who has it', async () => {
    const first = await auth.call('GET', '/.well-known/jwks.json');
    expect(first.headers.get('cache-control')).toBe('public, max-age=300');
    const etag = first.headers.get('etag') ?? '';
    const headers = { 'if-none-match': etag };
    const again = await auth.call('GET', '/.well-known/jwks.json', { headers });
    expect(again).toMatchObject({ status: 304, text: '' });
    await rotate();
    const changed = await auth.call('GET', '/.well-known/jwks.json', { headers });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
  });
});
