import { request } from 'node:http';
import { ISSUER, startAuth } from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';

const METHODS = ['client_secret_basic', 'private_key_jwt', 'none'];
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'Ed25519'];

let auth: RunningAuth;

beforeAll(async () => {
  auth = await startAuth();
});

describe('the metadata', () => {
  it('advertises what works and nothing else', async () => {
    const { body } = await auth.call('GET', '/.well-known/openid-configuration');
    expect(body).toEqual({
      issuer: ISSUER,
      jwks_uri: `${ISSUER}/.well-known/jwks.json`,
      authorization_endpoint: `${ISSUER}/oauth/authorize`,
      pushed_authorization_request_endpoint: `${ISSUER}/oauth/par`,
      token_endpoint: `${ISSUER}/oauth/token`,
      device_authorization_endpoint: `${ISSUER}/oauth/device/authorize`,
      introspection_endpoint: `${ISSUER}/oauth/introspect`,
      revocation_endpoint: `${ISSUER}/oauth/revoke`,
      userinfo_endpoint: `${ISSUER}/oauth/userinfo`,
      end_session_endpoint: `${ISSUER}/oauth/logout`,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: [
        'authorization_code',
        'refresh_token',
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:device_code',
        'urn:ietf:params:oauth:grant-type:token-exchange',
      ],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      token_endpoint_auth_methods_supported: METHODS,
      token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      introspection_endpoint_auth_methods_supported: METHODS.slice(0, 2),
      introspection_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      revocation_endpoint_auth_methods_supported: METHODS,
      revocation_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      id_token_signing_alg_values_supported: ['RS256'],
      dpop_signing_alg_values_supported: ['ES256', 'Ed25519', 'EdDSA'],
      scopes_supported: ['openid', 'email', 'offline_access'],
      claims_supported: ['sub', 'auth_time', 'acr', 'amr', 'email', 'sid', 'iss'],
      claim_types_supported: ['normal'],
      claims_parameter_supported: false,
      request_uri_parameter_supported: false,
      subject_types_supported: ['public'],
      acr_values_supported: ['urn:signet:acr:password'],
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    });
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
