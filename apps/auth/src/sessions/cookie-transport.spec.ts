import {
  endingOf,
  ISSUER,
  newEmail,
  PASSWORD,
  register,
  startAuth,
  verify,
} from '../testing/running-auth.js';
import type { Answer, RunningAuth } from '../testing/running-auth.js';

const APP = 'https://app.example.com';

let auth: RunningAuth;

beforeAll(async () => {
  auth = await startAuth({ environment: { CORS_ORIGINS: APP } });
});

type Headers = Record<string, string>;

const OWN: Headers = { origin: ISSUER };

async function logIn(headers: Headers = OWN): Promise<Answer> {
  const { email } = await register(auth);
  const json = { email, password: PASSWORD, transport: 'cookie' };
  return auth.call('POST', '/auth/login', { json, headers });
}

const cookieOf = ({ headers }: Answer) => headers.get('set-cookie')?.split(';')[0] ?? '';

const refreshWith = (cookie: string, headers: Headers = OWN) =>
  auth.call('POST', '/auth/refresh', { headers: { ...headers, cookie } });

describe('a page that logs in', () => {
  it('gets the refresh token in a cookie that no script and no other site can use', async () => {
    const answer = await logIn();
    expect(answer.status).toBe(200);
    expect(answer.body).not.toHaveProperty('refresh_token');
    expect(answer.headers.get('set-cookie')).toMatch(
      /^__Host-signet-refresh=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict; Max-Age=1209600$/,
    );
  });

  it('can do so by registering', async () => {
    const json = { email: newEmail(), password: PASSWORD, transport: 'cookie' };
    const answer = await auth.call('POST', '/auth/register', { json, headers: OWN });
    expect(answer.status).toBe(201);
    expect(answer.body).not.toHaveProperty('refresh_token');
    expect((await refreshWith(cookieOf(answer))).status).toBe(200);
  });

  it('renews silently, as often as it wants, in several tabs', async () => {
    const first = cookieOf(await logIn());
    const tabs = await Promise.all([refreshWith(first), refreshWith(first)]);
    expect(tabs.map(({ status }) => status)).toEqual([200, 200]);
    expect(tabs[0].body).not.toHaveProperty('refresh_token');
    const second = cookieOf(tabs[0]);
    expect(second).toBe(cookieOf(tabs[1]));
    expect(second).not.toBe(first);
    expect((await refreshWith(second)).status).toBe(200);
  });

  it('loses the cookie when it logs out', async () => {
    const answer = await logIn();
    const cookie = cookieOf(answer);
    const loggedOut = await auth.call('POST', '/auth/logout', {
      token: answer.body.access_token,
      headers: { ...OWN, cookie },
    });
    expect(loggedOut.status).toBe(204);
    expect(loggedOut.headers.get('set-cookie')).toMatch(/^__Host-signet-refresh=; .*Max-Age=0$/);
    const late = await refreshWith(cookie);
    expect(late).toMatchObject({ status: 401, body: { code: 'invalid_grant' } });
    expect(late.headers.get('set-cookie')).toMatch(/Max-Age=0$/);
  });

  it('may be one of an origin that CORS_ORIGINS names, and is told that cookies are taken', async () => {
    const answer = await logIn({ origin: APP });
    expect(answer.headers.get('access-control-allow-origin')).toBe(APP);
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    expect((await refreshWith(cookieOf(answer), { origin: APP })).status).toBe(200);
  });
});

describe('another site', () => {
  const strangers: [string, Headers][] = [
    ['that its browser names', { origin: 'https://evil.example' }],
    ['that hides its origin', { origin: 'null' }],
    [
      'on a sibling subdomain',
      { origin: 'https://evil.example.com', 'sec-fetch-site': 'same-site' },
    ],
    ['without an origin', { 'sec-fetch-site': 'cross-site' }],
    ['that says nothing', {}],
    [
      'that lies about one of the two',
      { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
    ],
  ];

  it.each(strangers)('%s cannot use the cookie', async (_who, headers) => {
    const answer = await logIn();
    const refused = await refreshWith(cookieOf(answer), headers);
    expect(refused).toMatchObject({ status: 403, body: { code: 'request_cross_site' } });
    expect(await endingOf(auth, answer.body.access_token)).toBeNull();
    expect((await refreshWith(cookieOf(answer))).status).toBe(200);
  });

  it.each(strangers)('%s cannot log the browser in as someone else', async (_who, headers) => {
    const refused = await logIn(headers);
    expect(refused).toMatchObject({ status: 403, body: { code: 'request_cross_site' } });
    expect(refused.headers.get('set-cookie')).toBeNull();
  });
});

describe('refreshing', () => {
  it('goes by the body when it has a token, and then answers in the body', async () => {
    const { refresh_token } = await register(auth);
    const cookie = cookieOf(await logIn());
    const answer = await auth.call('POST', '/auth/refresh', {
      json: { refresh_token },
      headers: { ...OWN, cookie },
    });
    expect(answer.status).toBe(200);
    expect(answer.body.refresh_token).toMatch(/^[\w-]{43}$/);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it('without a token anywhere says where it is expected', async () => {
    const answer = await auth.call('POST', '/auth/refresh', { headers: OWN });
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(answer.body.detail).toContain('refresh_token');
  });

  it.each(['\u00a0', '\u0085'])(
    'does not take one that a sibling of this host could have set: %j before its name',
    async (space) => {
      const cookie = cookieOf(await logIn());
      expect((await refreshWith(`a=b; ${space}${cookie}`)).status).toBe(400);
      expect((await refreshWith(`${cookie}; ${space}__Host-signet-refresh=planted`)).status).toBe(
        200,
      );
    },
  );

  it('does not choose between two cookies', async () => {
    const cookie = cookieOf(await logIn());
    const answer = await refreshWith(`${cookie}; __Host-signet-refresh=other`);
    expect(answer.status).toBe(400);
    expect((await refreshWith(cookie)).status).toBe(200);
  });

  it('gives a token that the services take', async () => {
    const { body } = await refreshWith(cookieOf(await logIn()));
    expect((await verify(auth, body.access_token)).payload.client_id).toBe('first-party');
  });
});
