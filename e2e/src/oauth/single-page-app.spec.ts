import * as oidc from 'openid-client';
import { SERVICES } from '../system/world.ts';
import {
  CALLBACK,
  configured,
  person,
  registered,
  signedInAt,
  SINGLE_PAGE,
} from './applications.ts';

let config: oidc.Configuration;

beforeAll(async () => {
  config = await configured((await registered(SINGLE_PAGE)).id, oidc.None());
});

async function signIn(scope = 'openid email api') {
  // guide: sign-in
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const page = oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  });
  // guide: end
  const { view, email, browser } = await signedInAt(page);
  const currentUrl = view.url;
  // guide: callback
  const tokens = await oidc.authorizationCodeGrant(config, currentUrl, {
    pkceCodeVerifier,
    expectedState,
  });
  // guide: end
  return { tokens, email, browser };
}

it('signs its user in and calls every service with the one token', async () => {
  const { tokens, email } = await signIn();
  expect(tokens.claims()).toMatchObject({ email, amr: ['pwd'] });
  const token = tokens.access_token;
  expect((await person.call('auth', 'GET /auth/me', { token })).body).toMatchObject({ email });
  expect((await person.call('orders', 'GET /orders', { token })).status).toBe(200);
  expect((await person.call('payments', 'GET /admin/payments', { token })).status).toBe(403);
  expect((await person.call('inventory', 'POST /products', { token })).status).toBe(403);
});

it('goes on with new tokens, and each refresh token is for one refresh', async () => {
  const { tokens } = await signIn();
  // guide: refresh
  const next = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '');
  // guide: end
  expect(next.refresh_token).not.toBe(tokens.refresh_token);
  const token = next.access_token;
  expect((await person.call('orders', 'GET /orders', { token })).status).toBe(200);
});

it('learns who its user is', async () => {
  const { tokens, email } = await signIn();
  const subject = tokens.claims()?.sub ?? '';
  const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, subject);
  expect(userinfo).toEqual({ sub: subject, email });
});

it('signs its user out, here and everywhere in the browser', async () => {
  const { tokens, browser } = await signIn();
  // guide: logout
  const page = oidc.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token ?? '',
    post_logout_redirect_uri: 'https://app.example/',
  });
  // guide: end
  const bye = await browser.submit(await browser.open(page), { logout: 'yes' });
  expect(bye.url.href).toBe('https://app.example/');
  const refresh = oidc.refreshTokenGrant(config, tokens.refresh_token ?? '');
  await expect(refresh).rejects.toMatchObject({ error: 'invalid_grant' });
});

it('gives its login back with an access token', async () => {
  const { tokens } = await signIn();
  await oidc.tokenRevocation(config, tokens.access_token);
  const refresh = oidc.refreshTokenGrant(config, tokens.refresh_token ?? '');
  await expect(refresh).rejects.toMatchObject({ error: 'invalid_grant' });
  const token = tokens.access_token;
  expect((await person.call('auth', 'GET /auth/me', { token })).status).toBe(401);
});

describe('what is not an access token for the platform', () => {
  it.each(SERVICES)('opens nothing in %s', async (service) => {
    const { tokens } = await signIn();
    const internal = await person.serviceToken('urn:signet:inventory', 'inventory:reserve');
    const elsewhere = await person.serviceToken('urn:signet:payments', 'payments:charge');
    const route = ROUTE_FOR_USERS[service];
    for (const token of [tokens.id_token, tokens.refresh_token, internal, elsewhere]) {
      expect([401, 403]).toContain((await person.call(service, route, { token })).status);
    }
    for (const token of [tokens.id_token, tokens.refresh_token]) {
      expect((await person.call(service, route, { token })).status).toBe(401);
    }
  });
});

const ROUTE_FOR_USERS = {
  auth: 'GET /auth/me',
  orders: 'GET /orders',
  payments: 'GET /admin/payments',
  inventory: 'GET /products/ANY/movements',
} as const;
