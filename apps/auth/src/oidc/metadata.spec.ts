import { request } from 'node:http';
import { startAuth } from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';

let auth: RunningAuth;

beforeAll(async () => {
  auth = await startAuth();
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
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt', 'none'],
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

describe('the key set', () => {
  it('shows public parts only, and may be cached', async () => {
    const { status, headers, body } = await auth.call('GET', '/.well-known/jwks.json');
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    expect(headers.get('content-type')).toContain('application/jwk-set+json');
    expect(body.keys).toHaveLength(3);
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
