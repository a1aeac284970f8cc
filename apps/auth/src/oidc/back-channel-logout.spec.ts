import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { OWN_PAGE, redeem, signedIn } from '../testing/applications.js';
import type { SignedIn } from '../testing/applications.js';
import { ISSUER, logIn, PASSWORD, sidOf, startAuth } from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';

const ADMIN = 'root@example.com';

/** Statuses that the application answers with next; 200 when there are none. */
const failures: number[] = [];
const received: string[] = [];
/** Where a redirect of the application would have led to. */
const followed: string[] = [];

const application = createServer((request, response) => {
  void text(request).then((body) => {
    if (request.url !== '/logged-out') return followed.push(request.url ?? '');
    const status = failures.shift();
    if (status !== undefined) return response.writeHead(status, { location: '/elsewhere' }).end();
    received.push(new URLSearchParams(body).get('logout_token') ?? '');
    return response.writeHead(200).end();
  });
});

let auth: RunningAuth;
let admin: string;

beforeAll(async () => {
  application.listen(0, '127.0.0.1');
  await once(application, 'listening');
  const { port } = application.address() as AddressInfo;
  const page = { ...OWN_PAGE, backchannel_logout_uri: `http://127.0.0.1:${port}/logged-out` };
  const seeds = [{ email: ADMIN, password: PASSWORD, roles: ['admin'] }];
  auth = await startAuth({
    environment: {
      SIGNET_CLIENTS: JSON.stringify([page]),
      SIGNET_SEED_ACCOUNTS: JSON.stringify(seeds),
      SIGNET_REFRESH_GRACE_SECONDS: '0',
    },
  });
  admin = (await logIn(auth, ADMIN)).body.access_token;
});

afterAll(() => application.close());

interface User extends SignedIn {
  token: string;
  refreshToken: string;
  sid: string;
  id: string;
}

async function user(scope?: string): Promise<User> {
  const someone = await signedIn(auth, scope);
  const { body } = await redeem(auth, someone);
  const sid = await sidOf(auth, body.access_token);
  const me = await auth.call('GET', '/auth/me', { token: body.access_token });
  const { id } = me.body as unknown as { id: string };
  return { ...someone, token: body.access_token, refreshToken: body.refresh_token, sid, id };
}

/** The logout token for this session, as the application checks it (section 2.6). */
async function told({ sid }: User): Promise<Record<string, unknown>> {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', auth.url));
  for (let attempt = 0; attempt < 200; attempt++) {
    for (const token of received) {
      const { payload } = await jwtVerify(token, keys, {
        issuer: ISSUER,
        audience: OWN_PAGE.client_id,
        typ: 'logout+jwt',
        algorithms: ['RS256'],
        requiredClaims: ['iat', 'exp', 'jti', 'events'],
      });
      if (payload.sid === sid) return payload;
    }
    await sleep(50);
  }
  throw new Error('nobody told the application');
}

async function everythingDelivered(): Promise<void> {
  const waiting = () =>
    auth.query(`select from jobs.job where name = 'logout_notices' and state < 'completed'`);
  while ((await waiting()).length > 0) await sleep(50);
}

const tokenOfAnotherSession = async ({ email }: User): Promise<string> =>
  (await logIn(auth, email)).body.access_token;

const CAUSES: [string, (user: User) => Promise<unknown>][] = [
  ['its user logs out', ({ token }) => auth.call('POST', '/auth/logout', { token })],
  ['its user logs out everywhere', ({ token }) => auth.call('POST', '/auth/logout-all', { token })],
  [
    'its user ends the session from another one',
    async (someone) => {
      const token = await tokenOfAnotherSession(someone);
      return auth.call('DELETE', `/auth/sessions/${someone.sid}`, { token });
    },
  ],
  [
    'the password changes',
    async (someone) => {
      const json = { currentPassword: PASSWORD, newPassword: 'another correct horse battery' };
      return auth.call('POST', '/auth/password', {
        token: await tokenOfAnotherSession(someone),
        json,
      });
    },
  ],
  [
    'an administrator ends the user’s sessions',
    ({ id }) => auth.call('DELETE', `/admin/users/${id}/sessions`, { token: admin }),
  ],
  [
    'an administrator disables the account',
    ({ id }) => auth.call('POST', `/admin/users/${id}/disable`, { token: admin }),
  ],
  [
    'a refresh token comes a second time',
    async ({ refreshToken }) => {
      for (let time = 0; time < 2; time++) {
        await auth.call('POST', '/oauth/token', {
          form: {
            grant_type: 'refresh_token',
            client_id: OWN_PAGE.client_id,
            refresh_token: refreshToken,
          },
        });
      }
    },
  ],
  [
    'its user signs out in the browser',
    async ({ browser }) => browser.submit(await browser.open('/oauth/logout'), { logout: 'yes' }),
  ],
];

describe('an application with a back-channel logout URI', () => {
  it.each(CAUSES)('is told once, by a signed logout token, when %s', async (_cause, end) => {
    const someone = await user();
    await end(someone);
    const payload = await told(someone);
    expect(payload).toMatchObject({
      sub: someone.id,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
    expect(payload).not.toHaveProperty('nonce');
    await everythingDelivered();
    const sids = received.map((token) => decodeJwt(token).sid);
    expect(sids.filter((sid) => sid === someone.sid)).toHaveLength(1);
  });

  it('is told of a sign-out in the browser although it may go on without the user', async () => {
    const someone = await user('openid api offline_access');
    await someone.browser.submit(await someone.browser.open('/oauth/logout'), { logout: 'yes' });
    await expect(told(someone)).resolves.toMatchObject({ sub: someone.id });
  });

  it('is told later when it is down, and the user does not wait for it', async () => {
    const someone = await user();
    failures.push(503);
    const answer = await auth.call('POST', '/auth/logout', { token: someone.token });
    expect(answer.status).toBe(204);
    await expect(told(someone)).resolves.toMatchObject({ sid: someone.sid });
    expect(failures).toHaveLength(0);
  }, 30_000);

  it('cannot send us on to another address', async () => {
    const someone = await user();
    failures.push(307);
    await auth.call('POST', '/auth/logout', { token: someone.token });
    await told(someone);
    expect(followed).toHaveLength(0);
  }, 30_000);

  it('is not told of what did not happen', async () => {
    const someone = await user();
    const before = received.length;
    await auth.call('DELETE', `/auth/sessions/${someone.sid}`, { token: admin });
    await auth.call('POST', '/auth/logout', { token: `${someone.token}x` });
    const jobs = await auth.query(`select 1 from jobs.job where data::text like $1`, [
      `%${someone.sid}%`,
    ]);
    expect(jobs).toHaveLength(0);
    expect(received).toHaveLength(before);
  });
});
