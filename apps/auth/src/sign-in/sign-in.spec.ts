import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Browser } from '../testing/browser.js';
import type { View } from '../testing/browser.js';
import {
  endingOf,
  ISSUER,
  PASSWORD,
  register,
  startAuth,
  verify,
} from '../testing/running-auth.js';
import type { Answer, RunningAuth } from '../testing/running-auth.js';

const CALLBACK = 'https://shop.example/callback';

const PUBLIC = {
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: [CALLBACK],
  post_logout_redirect_uris: ['https://shop.example/bye'],
};

const CLIENTS = [
  {
    ...PUBLIC,
    client_id: 'own',
    client_name: 'Our shop',
    first_party: true,
    audiences: { 'urn:signet:api': ['api'] },
  },
  { ...PUBLIC, client_id: 'other', client_name: 'Someone <else>' },
];

let auth: RunningAuth;

beforeAll(async () => {
  auth = await startAuth({ environment: { SIGNET_CLIENTS: JSON.stringify(CLIENTS) } });
});

interface Asked {
  url: string;
  verifier: string;
  clientId: string;
}

function ask(clientId: string, parameters: Record<string, string> = {}): Asked {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid email',
    state: 'a-state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  });
  return { url: `/oauth/authorize?${query.toString()}`, verifier, clientId };
}

function redeem({ url }: View, { verifier, clientId }: Asked): Promise<Answer> {
  return auth.call('POST', '/oauth/token', {
    form: {
      grant_type: 'authorization_code',
      code: url.searchParams.get('code') ?? '',
      redirect_uri: CALLBACK,
      client_id: clientId,
      code_verifier: verifier,
    },
  });
}

async function signedIn(browser: Browser, email: string, clientId = 'own'): Promise<View> {
  const page = await browser.open(ask(clientId).url);
  return browser.submit(page, { email, password: PASSWORD });
}

describe('signing in for an application of our own', () => {
  it('asks for the password once, and leads back with a code that gives tokens', async () => {
    const { email } = await register(auth);
    const browser = new Browser(auth);
    const asked = ask('own', { scope: 'openid email api' });
    const page = await browser.open(asked.url);
    expect(page.status).toBe(200);
    expect(page.html).toContain('Our shop');
    const back = await browser.submit(page, { email, password: PASSWORD });
    expect(back.url.origin + back.url.pathname).toBe(CALLBACK);
    expect(Object.fromEntries(back.url.searchParams)).toMatchObject({
      state: 'a-state',
      iss: ISSUER,
    });
    const { status, body } = await redeem(back, asked);
    expect(status).toBe(200);
    const { payload } = await verify(auth, body.access_token);
    expect(payload).toMatchObject({
      client_id: 'own',
      roles: ['customer'],
      scope: 'openid email api',
      acr: 'urn:signet:acr:password',
      amr: ['pwd'],
    });
    const again = ask('own');
    expect((await redeem(await browser.open(again.url), again)).status).toBe(200);
  });

  it('tells an error of the password on the page, and lets try again', async () => {
    const { email } = await register(auth);
    const browser = new Browser(auth);
    const page = await browser.open(ask('own').url);
    const refused = await browser.submit(page, { email, password: 'not the password' });
    expect(refused.status).toBe(401);
    expect(refused.html).toContain('Wrong email address or password.');
    expect(refused.html).toContain(`value="${email}"`);
    const back = await browser.submit(refused, { email, password: PASSWORD });
    expect(back.url.searchParams.get('code')).toBeTruthy();
  });

  it('is a session like any other, and begins one each time', async () => {
    const { email, access_token: token } = await register(auth);
    const browser = new Browser(auth);
    await signedIn(browser, email);
    await browser.open(ask('own').url);
    const { text } = await auth.call('GET', '/auth/sessions', { token });
    const { items } = JSON.parse(text) as { items: { clientId: string }[] };
    expect(items.map(({ clientId }) => clientId).sort()).toEqual([
      'first-party',
      'own',
      'own',
      'sign-on',
    ]);
  });

  it('can be cancelled', async () => {
    const browser = new Browser(auth);
    const page = await browser.open(ask('own').url);
    const back = await browser.submit(page, {}, '/cancel');
    expect(back.url.searchParams.get('error')).toBe('access_denied');
  });
});

describe('another’s application', () => {
  it('gets what its user consents to, which opens no service', async () => {
    const { email } = await register(auth);
    const browser = new Browser(auth);
    const asked = ask('other');
    const consent = await signedInPage(browser, asked, email);
    expect(consent.html).toContain('Someone &lt;else&gt; asks for access');
    expect(consent.html).toContain('see your email address');
    expect(consent.html).toContain('shop.example');
    const back = await browser.submit(consent, {}, '/consent');
    const { body } = await redeem(back, asked);
    const { payload } = await verify(auth, body.access_token, 'urn:signet:userinfo');
    expect(payload).toMatchObject({ roles: [], scope: 'openid email' });
    const token = body.access_token;
    expect((await auth.call('GET', '/auth/me', { token })).status).toBe(401);
    const info = await auth.call('GET', '/oauth/userinfo', { token });
    expect(info.body).toEqual({ sub: payload.sub, email });
  });

  it('is asked about each time, and gets nothing when its user says no', async () => {
    const { email } = await register(auth);
    const browser = new Browser(auth);
    const consent = await signedInPage(browser, ask('other'), email);
    await browser.submit(consent, {}, '/consent');
    const again = await browser.open(ask('other').url);
    expect(again.html).toContain('asks for access');
    const back = await browser.submit(again, {}, '/cancel');
    expect(back.url.searchParams.get('error')).toBe('access_denied');
  });

  it('may not ask for users’ tokens that it was not allowed', async () => {
    const browser = new Browser(auth);
    for (const resource of ['urn:signet:api', 'urn:signet:inventory', 'urn:moon']) {
      const { url } = await browser.open(ask('other', { resource }).url);
      expect(url.searchParams.get('error')).toBe('invalid_target');
    }
  });

  async function signedInPage(browser: Browser, asked: Asked, email: string): Promise<View> {
    return browser.submit(await browser.open(asked.url), { email, password: PASSWORD });
  }
});

describe('a browser that is signed on', () => {
  async function stillSignedOn(browser: Browser): Promise<boolean> {
    const { url } = await browser.open(ask('own', { prompt: 'none' }).url);
    if (url.searchParams.has('code')) return true;
    expect(url.searchParams.get('error')).toBe('login_required');
    return false;
  }

  it.each([
    [
      'their password is changed',
      (token: string) =>
        auth.call('POST', '/auth/password', {
          token,
          json: { currentPassword: PASSWORD, newPassword: 'another good password' },
        }),
    ],
    ['all sessions are ended', (token: string) => auth.call('POST', '/auth/logout-all', { token })],
    [
      'the account is disabled',
      async (token: string) => {
        const { sub } = (await verify(auth, token)).payload;
        await auth.query('update users set disabled_at = now() where id = $1', [sub]);
      },
    ],
  ])('is so no more when %s', async (_when, end) => {
    const user = await register(auth);
    const browser = new Browser(auth);
    await signedIn(browser, user.email);
    expect(await stillSignedOn(browser)).toBe(true);
    await end(user.access_token);
    expect(await stillSignedOn(browser)).toBe(false);
  });

  it('has been signed on by a login over JSON, without a second password', async () => {
    const user = await register(auth);
    const browser = new Browser(auth);
    expect(await stillSignedOn(browser)).toBe(false);
    const headers = { authorization: `Bearer ${user.access_token}` };
    expect((await browser.call('/auth/sign-on', { method: 'POST', headers })).status).toBe(204);
    expect(await stillSignedOn(browser)).toBe(true);
    await auth.call('POST', '/auth/logout', { token: user.access_token });
    expect(await stillSignedOn(browser)).toBe(false);
  });

  it('cannot be signed on with the token of another application', async () => {
    const { email } = await register(auth);
    const asked = ask('own', { scope: 'openid api' });
    const browser = new Browser(auth);
    const page = await browser.open(asked.url);
    const back = await browser.submit(page, { email, password: PASSWORD });
    const { body } = await redeem(back, asked);
    const call = { token: body.access_token };
    expect((await auth.call('POST', '/auth/sign-on', call)).status).toBe(403);
  });

  it('is asked again when the application wants it so', async () => {
    const { email } = await register(auth);
    const browser = new Browser(auth);
    await signedIn(browser, email);
    const page = await browser.open(ask('own', { prompt: 'login' }).url);
    expect(page.html).toContain('Password');
  });

  it('signs out, with everything that was begun in it', async () => {
    const { email } = await register(auth);
    const browser = new Browser(auth);
    const asked = ask('own', { scope: 'openid api' });
    const page = await browser.open(asked.url);
    const back = await browser.submit(page, { email, password: PASSWORD });
    const { body } = await redeem(back, asked);
    const query = new URLSearchParams({
      client_id: 'own',
      post_logout_redirect_uri: 'https://shop.example/bye',
      state: 's',
    });
    const question = await browser.open(`/oauth/logout?${query.toString()}`);
    expect(question.html).toContain('Sign out?');
    expect(question.headers.get('content-security-policy')).toContain('https://shop.example');
    const bye = await browser.submit(question, { logout: 'yes' });
    expect(bye.url.href).toBe('https://shop.example/bye?state=s');
    expect(await stillSignedOn(browser)).toBe(false);
    expect(await endingOf(auth, body.access_token)).toBe('logout');
  });

  it('can sign out of one application and stay signed on', async () => {
    const { email } = await register(auth);
    const browser = new Browser(auth);
    const asked = ask('own', { scope: 'openid api' });
    const page = await browser.open(asked.url);
    const back = await browser.submit(page, { email, password: PASSWORD });
    const { body } = await redeem(back, asked);
    await browser.submit(await browser.open('/oauth/logout?client_id=own'));
    expect(await stillSignedOn(browser)).toBe(true);
    expect(await endingOf(auth, body.access_token)).toBe('logout');
  });
});

describe('the sign-in page', () => {
  it('has no script, and nothing on it may come from elsewhere', async () => {
    const { html, headers } = await new Browser(auth).open(ask('own').url);
    expect(html).not.toMatch(/<script|javascript:|\son\w+=/i);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("form-action 'self' https://shop.example");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('works in no other browser, and for no form of another site', async () => {
    const browser = new Browser(auth);
    const page = await browser.open(ask('own').url);
    const stranger = await new Browser(auth).open(page.url);
    expect(stranger.status).toBe(400);
    const forged = await browser.call(page.url.pathname, {
      method: 'POST',
      headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      body: new URLSearchParams({ email: 'a@b.example', password: PASSWORD }),
    });
    expect(forged.status).toBe(403);
  });

  it('stops guessing like the login over JSON', async () => {
    const limited = await startAuth({
      environment: { SIGNET_CLIENTS: JSON.stringify(CLIENTS), SIGNET_LOGIN_ATTEMPTS: '2' },
    });
    const { email } = await register(limited);
    const browser = new Browser(limited);
    let page = await browser.open(ask('own').url);
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      page = await browser.submit(page, { email, password: 'a guess at it' });
      statuses.push(page.status);
    }
    expect(statuses).toEqual([401, 401, 429]);
  });

  it('leaves nothing in the database that opens anything', async () => {
    const browser = new Browser(auth);
    const page = await browser.open(ask('other').url);
    const uid = page.url.pathname.split('/').pop() ?? '';
    const rows = await auth.query('select * from engine_records');
    expect(uid.length).toBeGreaterThan(15);
    expect(JSON.stringify(rows)).not.toContain(uid);
  });
});

describe('an authorization request', () => {
  it.each([
    ['without PKCE', { code_challenge: '', code_challenge_method: '' }],
    ['with a plain challenge', { code_challenge_method: 'plain' }],
    ['for the implicit flow', { response_type: 'token' }],
    ['for an answer in the fragment', { response_mode: 'fragment' }],
  ])('is refused %s', async (_what, parameters) => {
    const { url } = await new Browser(auth).open(ask('own', parameters).url);
    const error =
      url.searchParams.get('error') ?? new URLSearchParams(url.hash.slice(1)).get('error');
    expect(['invalid_request', 'unsupported_response_type', 'unsupported_response_mode']).toContain(
      error,
    );
  });

  it.each([`${CALLBACK}/`, `${CALLBACK}?x=1`, 'https://shop.example.evil.example/callback'])(
    'leads nowhere when it names %s to come back to',
    async (redirect_uri) => {
      const { status, url, html } = await new Browser(auth).open(ask('own', { redirect_uri }).url);
      expect(status).toBe(400);
      expect(url.origin).toBe(ISSUER);
      expect(html).toContain('invalid_redirect_uri');
    },
  );

  it('gives a code that works once, and ends what it gave when it comes again', async () => {
    const { email } = await register(auth);
    const asked = ask('own', { scope: 'openid api' });
    const browser = new Browser(auth);
    const page = await browser.open(asked.url);
    const back = await browser.submit(page, { email, password: PASSWORD });
    const first = await redeem(back, asked);
    expect((await redeem(back, { ...asked, verifier: 'x'.repeat(43) })).status).toBe(400);
    expect((await redeem(back, asked)).status).toBe(400);
    expect(await endingOf(auth, first.body.access_token)).toBe('token_reuse');
  });
});

describe('while the database is away', () => {
  it('people are asked to come back in a moment, and then go on where they were', async () => {
    const { email } = await register(auth);
    const browser = new Browser(auth);
    const page = await browser.open(ask('own').url);
    const client = new pg.Client({ connectionString: auth.database.url });
    await client.connect();
    await client.query('begin');
    await client.query('lock table engine_records in access exclusive mode');
    const reading = browser.open(page.url);
    // What PostgreSQL does to those who wait for it when it shuts down.
    const end = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    while (!(await client.query(end)).rowCount) await sleep(10);
    const away = await reading;
    await client.query('rollback');
    await client.end();
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1']);
    expect(away.html).toContain('Try again in a moment');
    const back = await browser.submit(page, { email, password: PASSWORD });
    expect(back.url.searchParams.has('code')).toBe(true);
  });
});
