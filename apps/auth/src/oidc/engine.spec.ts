import { decodeJwt } from 'jose';
import { request } from 'node:http';
import {
  ORDERS_SECRET,
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

function basic(secret = ORDERS_SECRET, client = 'orders') {
  const credentials = Buffer.from(`${client}:${encodeURIComponent(secret)}`).toString('base64');
  return { authorization: `Basic ${credentials}` };
}

function clientCredentials(
  form: Record<string, string>,
  headers: Record<string, string> = basic(),
) {
  return auth.call('POST', '/oauth/token', {
    form: { grant_type: 'client_credentials', ...form },
    headers,
  });
}

describe('a service', () => {
  it.each([
    ['urn:signet:inventory', 'inventory:reserve'],
    ['urn:signet:payments', 'payments:charge'],
  ])('gets a token for %s that is its own', async (resource, scope) => {
    const answer = await clientCredentials({ resource, scope });
    expect(answer).toMatchObject({
      status: 200,
      body: { token_type: 'Bearer', expires_in: 600, scope },
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { payload } = await verify(auth, answer.body.access_token, resource);
    expect(payload).toEqual({
      iss: 'http://127.0.0.1:3000',
      aud: resource,
      sub: 'orders',
      client_id: 'orders',
      jti: someText,
      roles: [],
      scope,
      iat: someNumber,
      exp: someNumber,
    });
  });

  it.each([
    ['users’ tokens', { resource: 'urn:signet:api', scope: 'api' }, 'invalid_target'],
    [
      'a token for an audience that does not exist',
      { resource: 'urn:signet:moon', scope: 'x' },
      'invalid_target',
    ],
    ['a token for no audience', { scope: 'inventory:reserve' }, 'invalid_target'],
    [
      'another audience’s scope',
      { resource: 'urn:signet:inventory', scope: 'payments:charge' },
      'invalid_scope',
    ],
    ['a token that opens nothing', { resource: 'urn:signet:inventory' }, 'invalid_scope'],
  ])('does not get %s', async (_what, form, error) => {
    expect(await clientCredentials(form)).toMatchObject({ status: 400, body: { error } });
  });

  it.each([
    ['a wrong secret', basic('x'.repeat(40))],
    ['a client that does not exist', basic(ORDERS_SECRET, 'nobody')],
  ])('is refused with %s', async (_what, headers) => {
    const form = { resource: 'urn:signet:inventory', scope: 'inventory:reserve' };
    expect(await clientCredentials(form, headers)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
  });

  it('has no access to what is its users’ own', async () => {
    const form = { resource: 'urn:signet:inventory', scope: 'inventory:reserve' };
    const token = (await clientCredentials(form)).body.access_token;
    expect((await auth.call('GET', '/auth/me', { token })).status).toBe(401);
  });
});

describe('the first-party client', () => {
  it('cannot act for itself, nor log in by password at the token endpoint', async () => {
    for (const grant_type of ['client_credentials', 'password', 'implicit', 'authorization_code']) {
      const answer = await auth.call('POST', '/oauth/token', {
        form: { grant_type, client_id: 'first-party', username: 'a@b.example', password: 'x' },
      });
      expect(answer.status).toBe(400);
      expect(['unsupported_grant_type', 'invalid_request']).toContain(answer.body.error);
    }
  });

  it('cannot widen a token when it refreshes', async () => {
    const { refresh_token } = await register(auth);
    for (const [name, value] of [
      ['resource', 'urn:signet:inventory'],
      ['scope', 'api inventory:reserve'],
    ] as const) {
      const form = {
        grant_type: 'refresh_token',
        client_id: 'first-party',
        refresh_token,
        [name]: value,
      };
      expect((await auth.call('POST', '/oauth/token', { form })).status).toBe(400);
    }
  });

  it('has its refresh token used by no other client', async () => {
    const { refresh_token } = await register(auth);
    const answer = await auth.call('POST', '/oauth/token', {
      form: { grant_type: 'refresh_token', refresh_token },
      headers: basic(),
    });
    expect(answer.status).toBe(400);
  });
});

describe('the metadata', () => {
  it('advertises what works and nothing else', async () => {
    const { body } = await auth.call('GET', '/.well-known/openid-configuration');
    expect(body).toMatchObject({
      issuer: 'http://127.0.0.1:3000',
      jwks_uri: 'http://127.0.0.1:3000/.well-known/jwks.json',
      token_endpoint: 'http://127.0.0.1:3000/oauth/token',
      authorization_endpoint: 'http://127.0.0.1:3000/oauth/authorize',
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'none'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
    expect(body.grant_types_supported.sort()).toEqual([
      'authorization_code',
      'client_credentials',
      'refresh_token',
    ]);
    const endpoints = Object.keys(body).filter((name) => /_endpoint$|_uri$/.test(name));
    expect(endpoints.sort()).toEqual(['authorization_endpoint', 'jwks_uri', 'token_endpoint']);
  });

  it('is the same for OAuth clients', async () => {
    const oauth = await auth.call('GET', '/.well-known/oauth-authorization-server');
    const openid = await auth.call('GET', '/.well-known/openid-configuration');
    expect(oauth.body).toEqual(openid.body);
  });

  it('believes no Host and no forwarding header', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const headers = {
        host: 'evil.example',
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
      };
      request(new URL('/.well-known/openid-configuration', auth.url), { headers }, (response) => {
        let body = '';
        response.on('data', (chunk) => (body += String(chunk))).on('end', () => resolve(body));
      })
        .on('error', reject)
        .end();
    });
    expect(text).not.toContain('evil');
    expect(text).toContain('"http://127.0.0.1:3000/oauth/token"');
  });

  it('comes with the security headers of every other answer', async () => {
    const { headers } = await auth.call('GET', '/.well-known/openid-configuration');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});

it('limits the rate of requests to the engine as to every other route', async () => {
  const limited = await startAuth({ environment: { RATE_LIMIT_PER_MINUTE: '5' } });
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 6; attempt++) {
    const form = { grant_type: 'refresh_token', client_id: 'first-party', refresh_token: 'guess' };
    statuses.push((await limited.call('POST', '/oauth/token', { form })).status);
  }
  expect(statuses).toEqual([400, 400, 400, 400, 400, 429]);
});

describe('the key set', () => {
  it('shows public parts only, and may be cached', async () => {
    const { status, headers, body } = await auth.call('GET', '/.well-known/jwks.json');
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    expect(headers.get('content-type')).toContain('application/jwk-set+json');
    expect(body.keys).toHaveLength(2);
    for (const key of body.keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
      expect(key).toMatchObject({ kty: 'RSA', alg: 'RS256', use: 'sig', e: 'AQAB' });
    }
  });

  it('is not sent again to who has it', async () => {
    const { headers } = await auth.call('GET', '/.well-known/jwks.json');
    const again = await auth.call('GET', '/.well-known/jwks.json', {
      headers: { 'if-none-match': headers.get('etag') ?? '', 'cache-control': 'max-age=0' },
    });
    expect(again.status).toBe(304);
    expect(again.text).toBe('');
  });
});

describe('the authorization endpoint', () => {
  it('serves no client that is not registered for it', async () => {
    const query = new URLSearchParams({
      client_id: 'first-party',
      response_type: 'code',
      redirect_uri: 'https://evil.example/callback',
      scope: 'openid',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    });
    const answer = await auth.call('GET', `/oauth/authorize?${query.toString()}`);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
  });
});

it.each([
  ['GET', '/oauth/token', 404],
  ['GET', '/oauth/nothing', 404],
  ['GET', '/interaction/abc', 404],
  ['POST', '/.well-known/jwks.json', 404],
])('answers %s %s, which does not exist, with %i', async (method, path, status) => {
  expect((await auth.call(method, path)).status).toBe(status);
});

it('refuses what the token endpoint does not read', async () => {
  const json = { grant_type: 'refresh_token' };
  expect((await auth.call('POST', '/oauth/token', { json })).status).toBe(400);
  const form = {
    grant_type: 'refresh_token',
    client_id: 'first-party',
    refresh_token: 'x'.repeat(1_000_000),
  };
  expect((await auth.call('POST', '/oauth/token', { form })).status).toBe(400);
});

it('issues tokens whose times agree with the answer', async () => {
  const { access_token } = await register(auth);
  const { iat, exp } = decodeJwt(access_token);
  expect((exp ?? 0) - (iat ?? 0)).toBe(600);
});
