import {
  ORDERS_SECRET,
  register,
  someNumber,
  someText,
  startAuth,
  verify,
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

it('limits the rate of requests to the engine as to every other route', async () => {
  const limited = await startAuth({ environment: { RATE_LIMIT_PER_MINUTE: '5' } });
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 6; attempt++) {
    const form = { grant_type: 'refresh_token', client_id: 'first-party', refresh_token: 'guess' };
    statuses.push((await limited.call('POST', '/oauth/token', { form })).status);
  }
  expect(statuses).toEqual([400, 400, 400, 400, 400, 429]);
});
