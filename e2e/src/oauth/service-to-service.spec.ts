import * as oauth from 'oauth4webapi';
import { exportJWK } from 'jose';
import { insecure, ISSUER, person, registered } from './applications.ts';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

// guide: registration
const SERVICE = {
  client_name: 'Night shift',
  grant_types: ['client_credentials', EXCHANGE],
  audiences: { 'urn:signet:payments': ['payments:charge'] },
};
// guide: end

let server: oauth.AuthorizationServer;

beforeAll(async () => {
  // guide: discovery
  const issuer = new URL(ISSUER);
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
  server = await oauth.processDiscoveryResponse(issuer, response);
  // guide: end
});

interface Service {
  client: oauth.Client;
  authentication: oauth.ClientAuth;
}

async function withKey(): Promise<Service> {
  // guide: key
  const { publicKey, privateKey } = await oauth.generateKeyPair('ES256');
  const jwks = { keys: [await exportJWK(publicKey)] };
  const { id } = await registered({
    ...SERVICE,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks,
  });
  // guide: end
  return { client: { client_id: id }, authentication: oauth.PrivateKeyJwt(privateKey) };
}

async function withSecret(metadata: object = {}): Promise<Service> {
  const { id, secret } = await registered({ ...SERVICE, ...metadata });
  return { client: { client_id: id }, authentication: oauth.ClientSecretBasic(secret) };
}

async function tokenFor({ client, authentication }: Service): Promise<string> {
  // guide: token
  const response = await oauth.clientCredentialsGrantRequest(
    server,
    client,
    authentication,
    { resource: 'urn:signet:payments', scope: 'payments:charge' },
    insecure,
  );
  const { access_token } = await oauth.processClientCredentialsResponse(server, client, response);
  // guide: end
  return access_token;
}

async function exchanged(
  { client, authentication }: Service,
  subjectToken: string,
  parameters: Record<string, string> = {},
): Promise<oauth.TokenEndpointResponse> {
  // guide: exchange
  const response = await oauth.genericTokenEndpointRequest(
    server,
    client,
    authentication,
    EXCHANGE,
    {
      subject_token: subjectToken,
      subject_token_type: ACCESS_TOKEN,
      resource: 'urn:signet:payments',
      ...parameters,
    },
    insecure,
  );
  const tokens = await oauth.processGenericTokenEndpointResponse(server, client, response);
  // guide: end
  return tokens;
}

async function introspected(
  { client, authentication }: Service,
  token: string,
): Promise<oauth.IntrospectionResponse> {
  // guide: introspection
  const response = await oauth.introspectionRequest(
    server,
    client,
    authentication,
    token,
    insecure,
  );
  const answer = await oauth.processIntrospectionResponse(server, client, response);
  // guide: end
  return answer;
}

async function revoked({ client, authentication }: Service, token: string): Promise<void> {
  const response = await oauth.revocationRequest(server, client, authentication, token, insecure);
  await oauth.processRevocationResponse(response);
}

describe('a service with a key of its own', () => {
  it('gets a token that opens the internal routes of the one service it is for', async () => {
    const token = await tokenFor(await withKey());
    const body = {};
    const charge = await person.call('payments', 'POST /internal/payments', { token, body });
    expect(charge).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    const movements = 'GET /products/NO-SUCH-SKU/movements';
    expect((await person.call('inventory', movements, { token })).status).toBe(401);
    expect((await person.call('orders', 'GET /orders', { token })).status).toBe(401);
  });
});

describe('a service that was called with a user’s token', () => {
  it('exchanges it for one that is good at the next service alone, and says who acts', async () => {
    const service = await withSecret();
    const subject = await person.tokenOf('support');
    const tokens = await exchanged(service, subject);
    expect(tokens).toMatchObject({ token_type: 'bearer', issued_token_type: ACCESS_TOKEN });
    expect(tokens.expires_in).toBeLessThanOrEqual(300);
    expect(tokens.refresh_token).toBeUndefined();
    const token = tokens.access_token;
    expect(await introspected(service, token)).toMatchObject({
      active: true,
      aud: 'urn:signet:payments',
      client_id: service.client.client_id,
      act: { sub: service.client.client_id },
      roles: ['support'],
    });
    expect((await person.call('payments', 'GET /admin/payments', { token })).status).toBe(200);
    expect((await person.call('orders', 'GET /admin/orders', { token })).status).toBe(401);
    expect((await person.call('auth', 'GET /auth/me', { token })).status).toBe(401);
  });

  it('has no right of its own by it', async () => {
    const service = await withSecret();
    const parameters = { scope: 'payments:charge' };
    const { access_token: token } = await exchanged(
      service,
      await person.tokenOf('customer'),
      parameters,
    );
    const charge = await person.call('payments', 'POST /internal/payments', { token, body: {} });
    expect(charge.status).toBe(403);
  });

  it('has nothing any more when the user logs out', async () => {
    const service = await withSecret();
    const { access_token: subject } = await person.register();
    const { access_token: token } = await exchanged(service, subject);
    await person.call('auth', 'POST /auth/logout', { token: subject });
    expect(await introspected(service, token)).toEqual({ active: false });
    await expect(exchanged(service, subject)).rejects.toMatchObject({ error: 'invalid_request' });
  });

  it.each([
    [
      'an exchanged token',
      async (service: Service) =>
        (await exchanged(service, await person.tokenOf('customer'))).access_token,
    ],
    ['its own token', (service: Service) => tokenFor(service)],
    ['a refresh token', async () => (await person.register()).refresh_token],
  ])('exchanges no %s', async (_what, subjectToken) => {
    const service = await withSecret();
    const exchange = exchanged(service, await subjectToken(service));
    await expect(exchange).rejects.toMatchObject({ error: 'invalid_request' });
  });

  it('exchanges for no audience that it may not call', async () => {
    const service = await withSecret();
    const subject = await person.tokenOf('customer');
    for (const resource of ['urn:signet:inventory', 'urn:signet:api', 'urn:signet:userinfo']) {
      const exchange = exchanged(service, subject, { resource });
      await expect(exchange).rejects.toMatchObject({ error: 'invalid_target' });
    }
  });

  it('must be allowed to', async () => {
    const service = await withSecret({ grant_types: ['client_credentials'] });
    const exchange = exchanged(service, await person.tokenOf('customer'));
    await expect(exchange).rejects.toMatchObject({ error: 'invalid_request' });
  });
});

describe('introspection', () => {
  it('tells a resource server of the tokens for it, and nobody else', async () => {
    const server = await withSecret({ introspects: ['urn:signet:api'] });
    const { access_token: token } = await person.register();
    expect(await introspected(server, token)).toMatchObject({
      active: true,
      token_type: 'Bearer',
      client_id: 'first-party',
      roles: ['customer'],
    });
    expect(await introspected(await withSecret(), token)).toEqual({ active: false });
    expect(await introspected(server, `${token.slice(0, -8)}AAAAAAAA`)).toEqual({ active: false });
  });
});

describe('revocation', () => {
  it('makes a service’s own token void', async () => {
    const service = await withSecret();
    const token = await tokenFor(service);
    expect(await introspected(service, token)).toMatchObject({ active: true });
    await revoked(service, token);
    expect(await introspected(service, token)).toEqual({ active: false });
  });

  it('of an exchanged token leaves the user logged in', async () => {
    const service = await withSecret();
    const { access_token: subject } = await person.register();
    const { access_token: token } = await exchanged(service, subject);
    await revoked(service, token);
    expect(await introspected(service, token)).toEqual({ active: false });
    expect((await person.call('auth', 'GET /auth/me', { token: subject })).status).toBe(200);
  });

  it('is for what one was given oneself', async () => {
    const service = await withSecret();
    const { access_token: token } = await person.register();
    await expect(revoked(service, token)).rejects.toMatchObject({ error: 'invalid_request' });
    expect((await person.call('auth', 'GET /auth/me', { token })).status).toBe(200);
  });
});
