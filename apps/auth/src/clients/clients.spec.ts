import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { randomUUID } from 'node:crypto';
import { register, startAuth, verify } from '../testing/running-auth.js';
import type { Answer, RunningAuth } from '../testing/running-auth.js';

const CONFIGURED = {
  client_id: 'reports',
  client_name: 'Reports',
  client_secret: 'a secret of the configuration, long enough'.replaceAll(' ', '-'),
  grant_types: ['client_credentials'],
  audiences: { 'urn:signet:inventory': ['inventory:reserve'] },
  introspects: ['urn:signet:inventory'],
};

const SERVICE = {
  client_name: 'Warehouse robot',
  grant_types: ['client_credentials'],
  audiences: { 'urn:signet:inventory': ['inventory:reserve'] },
};

const WEB = {
  client_name: 'Shop',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: ['https://shop.example/callback'],
};

let auth: RunningAuth;
let admin: string;

beforeAll(async () => {
  auth = await startAuth({ environment: { SIGNET_CLIENTS: JSON.stringify([CONFIGURED]) } });
  const { access_token, refresh_token } = await register(auth);
  await auth.query(`update users set roles = '{admin}' where id = $1`, [
    (await verify(auth, access_token)).payload.sub,
  ]);
  const json = { refresh_token };
  admin = (await auth.call('POST', '/auth/refresh', { json })).body.access_token;
});

interface Registered {
  client_id: string;
  client_secret: string;
}

function administer(method: string, path: string, json?: unknown): Promise<Answer> {
  return auth.call(method, path, { token: admin, ...(json !== undefined && { json }) });
}

async function registered(json: object): Promise<Registered> {
  const answer = await administer('POST', '/admin/clients', json);
  expect(answer.status).toBe(201);
  return JSON.parse(answer.text) as Registered;
}

const ASKED = {
  grant_type: 'client_credentials',
  resource: 'urn:signet:inventory',
  scope: 'inventory:reserve',
};

function basic({ client_id, client_secret }: Registered): Record<string, string> {
  const credentials = Buffer.from(`${client_id}:${client_secret}`).toString('base64');
  return { authorization: `Basic ${credentials}` };
}

function token(client: Registered, at = auth): Promise<Answer> {
  return at.call('POST', '/oauth/token', { form: ASKED, headers: basic(client) });
}

describe('a registered client', () => {
  it('gets tokens with the secret that was shown once', async () => {
    const client = await registered(SERVICE);
    const answer = await token(client);
    expect(answer.status).toBe(200);
    const { payload } = await verify(auth, answer.body.access_token, 'urn:signet:inventory');
    expect(payload).toMatchObject({ sub: client.client_id, client_id: client.client_id });
    const shown = await administer('GET', `/admin/clients/${client.client_id}`);
    expect(shown.body).toMatchObject({ ...SERVICE, client_id: client.client_id, disabled: false });
    expect(shown.text).not.toContain('secret":');
    const rows = await auth.query('select * from clients');
    expect(JSON.stringify(rows)).not.toContain(client.client_secret);
  });

  it('is not opened by what the database has of its secret', async () => {
    const { client_id } = await registered(SERVICE);
    const [row] = await auth.query<{ secret_hash: string }>(
      'select secret_hash from clients where id = $1',
      [client_id],
    );
    expect((await token({ client_id, client_secret: row?.secret_hash ?? '' })).status).toBe(401);
  });

  it('gets no token for what it was not allowed', async () => {
    const client = await registered({
      ...SERVICE,
      audiences: { 'urn:signet:payments': ['payments:charge'] },
    });
    expect(await token(client)).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  });

  it('goes on with a new secret, and with the old one only as long as it was asked for', async () => {
    const old = await registered(SERVICE);
    const path = `/admin/clients/${old.client_id}/secret`;
    const next = await administer('POST', path, { overlap_seconds: 60 });
    expect(next.status).toBe(200);
    const { client_secret } = JSON.parse(next.text) as Registered;
    expect((await token(old)).status).toBe(200);
    expect((await token({ ...old, client_secret })).status).toBe(200);
    await administer('POST', path, {});
    expect((await token(old)).status).toBe(401);
    expect((await token({ ...old, client_secret })).status).toBe(401);
  });

  it('gets nothing while it is disabled, on every replica at once', async () => {
    const client = await registered(SERVICE);
    const replica = await startAuth({ database: auth.database });
    const ask = async () => (await token(client, replica)).status;
    expect(await ask()).toBe(200);
    const path = `/admin/clients/${client.client_id}`;
    expect((await administer('POST', `${path}/disable`)).body).toMatchObject({ disabled: true });
    expect(await ask()).toBe(401);
    await administer('POST', `${path}/enable`);
    expect(await ask()).toBe(200);
  });

  it('has nothing from before it was disabled, whoever asks about it, and not when it is enabled again', async () => {
    const client = await registered(SERVICE);
    const before = (await token(client)).body.access_token;
    const isActive = async (asked: string) => {
      const form = { token: asked };
      const headers = basic(CONFIGURED);
      const { text } = await auth.call('POST', '/oauth/introspect', { form, headers });
      return (JSON.parse(text) as { active: boolean }).active;
    };
    expect(await isActive(before)).toBe(true);
    const path = `/admin/clients/${client.client_id}`;
    await administer('POST', `${path}/disable`);
    expect(await isActive(before)).toBe(false);
    await administer('POST', `${path}/enable`);
    expect(await isActive(before)).toBe(false);
    expect(await isActive((await token(client)).body.access_token)).toBe(true);
  });

  it('is in the audit log, with who did it', async () => {
    const { client_id } = await registered(SERVICE);
    await administer('POST', `/admin/clients/${client_id}/disable`);
    const { body } = await administer('GET', `/admin/audit?subject=${client_id}`);
    expect(body.items).toMatchObject([
      { action: 'client.changed' },
      { action: 'client.registered' },
    ]);
  });
});

describe('a client with a key of its own', () => {
  async function withKey() {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwks = { keys: [await exportJWK(publicKey)] };
    const { client_id } = await registered({
      ...SERVICE,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks,
    });
    const assertion = (claims: Record<string, unknown> = {}) =>
      new SignJWT({
        iss: client_id,
        sub: client_id,
        aud: 'http://127.0.0.1:3000',
        jti: randomUUID(),
        exp: Math.floor(Date.now() / 1000) + 60,
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256' })
        .sign(privateKey);
    const ask = (client_assertion: string) =>
      auth.call('POST', '/oauth/token', {
        form: {
          ...ASKED,
          client_assertion,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        },
      });
    return { client_id, assertion, ask };
  }

  it('gets tokens for an assertion, once', async () => {
    const { assertion, ask } = await withKey();
    const signed = await assertion();
    expect((await ask(signed)).status).toBe(200);
    expect(await ask(signed)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  it.each([
    ['for another server as well', { aud: ['http://127.0.0.1:3000', 'https://other.example'] }],
    [
      'for the token endpoint, as another server might be named',
      { aud: 'http://127.0.0.1:3000/oauth/token' },
    ],
    ['that lives for a day', { exp: Math.floor(Date.now() / 1000) + 86_400 }],
    ['of another client', { iss: 'orders' }],
  ])('is refused with an assertion %s', async (_what, claims) => {
    const { assertion, ask } = await withKey();
    expect((await ask(await assertion(claims))).status).toBe(401);
  });
});

describe('the configuration', () => {
  it('brings clients of its own, which are changed nowhere else', async () => {
    expect((await token(CONFIGURED)).status).toBe(200);
    const shown = await administer('GET', '/admin/clients/reports');
    expect(shown.body).toMatchObject({ client_id: 'reports', configured: true });
    expect(shown.text).not.toContain(CONFIGURED.client_secret);
    expect(await administer('POST', '/admin/clients/reports/disable')).toMatchObject({
      status: 409,
      body: { code: 'client_configured' },
    });
  });

  it.each([
    ['an id that is taken', { ...CONFIGURED, client_id: 'orders' }],
    ['no secret', { ...CONFIGURED, client_secret: undefined }],
    ['a member that does not exist', { ...CONFIGURED, redirect_uri: 'https://x.example' }],
  ])('stops the boot when a client has %s', async (_what, client) => {
    const environment = { SIGNET_CLIENTS: JSON.stringify([client]) };
    await expect(startAuth({ environment, database: auth.database })).rejects.toThrow(
      'SIGNET_CLIENTS',
    );
  });
});

describe('the list of clients', () => {
  it('has all of them, page by page', async () => {
    const { client_id } = await registered(SERVICE);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query = `limit=2${cursor && `&cursor=${cursor}`}`;
      const { text } = await administer('GET', `/admin/clients?${query}`);
      const page = JSON.parse(text) as { items: Registered[]; nextCursor: string | null };
      seen.push(...page.items.map((client) => client.client_id));
      cursor = page.nextCursor;
    }
    expect(seen[0]).toBe(client_id);
    expect(seen.slice(-3)).toEqual(['reports', 'orders', 'first-party']);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

describe('a registration', () => {
  it.each([
    ['http on another machine', { ...WEB, redirect_uris: ['http://shop.example/callback'] }],
    ['a pattern', { ...WEB, redirect_uris: ['https://*.shop.example/callback'] }],
    ['a fragment', { ...WEB, redirect_uris: ['https://shop.example/#callback'] }],
    ['a password', { ...WEB, redirect_uris: ['https://a:b@shop.example/callback'] }],
    ['a script', { ...WEB, redirect_uris: ['javascript:alert(1)'] }],
    ['an application’s scheme on the web', { ...WEB, redirect_uris: ['com.example.app:/cb'] }],
    [
      'a scheme that anyone could take',
      { ...WEB, application_type: 'native', redirect_uris: ['myapp:/callback'] },
    ],
    ['no redirect URI', { ...WEB, redirect_uris: [] }],
    ['the implicit grant', { ...WEB, grant_types: ['implicit'] }],
    ['the password grant', { ...WEB, grant_types: ['password'] }],
    ['a public client acting for itself', { ...SERVICE, token_endpoint_auth_method: 'none' }],
    ['keys somewhere else', { ...SERVICE, jwks_uri: 'http://169.254.169.254/jwks' }],
    ['a scope that there is not', { ...SERVICE, audiences: { 'urn:signet:inventory': ['all'] } }],
    ['an audience that there is not', { ...SERVICE, audiences: { 'urn:moon': ['all'] } }],
    ['users’ tokens for itself', { ...SERVICE, audiences: { 'urn:signet:api': ['api'] } }],
  ])('is refused with %s', async (_what, json) => {
    const answer = await administer('POST', '/admin/clients', json);
    expect([400, 422]).toContain(answer.status);
  });

  it.each([
    ['a private one', { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' }],
    ['none at all', { kty: 'EC', crv: 'P-999', x: 'x', y: 'y' }],
    ['a short one', { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(128, 0xff).toString('base64url') }],
  ])('is refused when its key is %s', async (_what, key) => {
    const method = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key] } };
    const answer = await administer('POST', '/admin/clients', { ...SERVICE, ...method });
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain('2048 bits');
  });

  it('is for administrators', async () => {
    const { access_token } = await register(auth);
    const call = { token: access_token, json: SERVICE };
    expect((await auth.call('POST', '/admin/clients', call)).status).toBe(403);
  });
});
