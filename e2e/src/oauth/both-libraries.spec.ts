import { decodeJwt, exportJWK, generateKeyPair } from 'jose';
import { setTimeout as sleep } from 'node:timers/promises';
import { answersOf, isRefused } from '../system/guarded-routes.ts';
import { world } from '../system/world.ts';
import { CALLBACK, ISSUER, person, registered, signedInAt } from './applications.ts';
import { Browser } from './browser.ts';
import { EXCHANGE, LIBRARIES } from './libraries.ts';
import type { Application, Identity } from './libraries.ts';

const GOODBYE = 'https://app.example/goodbye';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** One that may do all there is. */
const APPLICATION = {
  client_name: 'Everything',
  token_endpoint_auth_method: 'private_key_jwt',
  grant_types: [
    'authorization_code',
    'refresh_token',
    'client_credentials',
    'urn:ietf:params:oauth:grant-type:device_code',
    EXCHANGE,
  ],
  redirect_uris: [CALLBACK],
  post_logout_redirect_uris: [GOODBYE],
  require_pushed_authorization_requests: true,
  first_party: true,
  audiences: { 'urn:signet:api': ['api'], 'urn:signet:payments': ['payments:charge'] },
};

async function registeredApplication(): Promise<Identity> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwks = { keys: [await exportJWK(publicKey)] };
  const { id } = await registered({ ...APPLICATION, jwks });
  return { id, privateKey };
}

async function signedIn(application: Application) {
  const request = { redirect_uri: CALLBACK, scope: 'openid email api' };
  const { page, verifier } = await application.begin(request);
  expect([...page.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
  const { view, email, browser } = await signedInAt(page);
  const tokens = await application.redeem(view.url, verifier);
  return { ...tokens, refresh_token: tokens.refresh_token ?? '', email, browser };
}

/** Of orders, payments and inventory, in this order. */
async function statuses(token: string): Promise<number[]> {
  return (await answersOf(person, token)).map(({ status }) => status);
}

/** Past the guard of each service, with a customer's rights. */
const ACCEPTED = [200, 404, 403];

async function refusedEverywhere(token: string): Promise<void> {
  while (!(await answersOf(person, token)).every(isRefused)) await sleep(20);
}

describe.each(Object.entries(LIBRARIES))('an application with %s', (_library, connect) => {
  let identity: Identity;
  let application: Application;

  beforeAll(async () => {
    identity = await registeredApplication();
    application = await connect(identity);
  });

  it('finds out by itself where everything is', () => {
    const at = (path: string) => `${ISSUER}/oauth/${path}`;
    expect(application.metadata).toMatchObject({
      issuer: ISSUER,
      pushed_authorization_request_endpoint: at('par'),
      token_endpoint: at('token'),
    });
  });

  it('signs its user in by a pushed request with PKCE', async () => {
    const { access_token, id_token, email } = await signedIn(application);
    expect(decodeJwt(id_token ?? '')).toMatchObject({ iss: ISSUER, aud: identity.id, email });
    expect(await statuses(access_token)).toEqual(ACCEPTED);
  });

  it('goes on by its refresh token', async () => {
    const { access_token, refresh_token } = await signedIn(application);
    const next = await application.refresh(refresh_token);
    expect(next.access_token).not.toBe(access_token);
    expect(await statuses(next.access_token)).toEqual(ACCEPTED);
  });

  it('binds its tokens to a key, with the nonce that the server asks for', async () => {
    const dpopKeys = await generateKeyPair('ES256');
    const bound = await connect({ ...identity, dpopKeys });
    const fetched = jest.spyOn(globalThis, 'fetch');
    const first = await signedIn(bound);
    const nonces = fetched.mock.calls.flatMap(([, init]) => {
      const proof = new Headers(init?.headers).get('dpop');
      return proof === null ? [] : [decodeJwt(proof).nonce];
    });
    fetched.mockRestore();
    expect(nonces).toEqual([undefined, expect.any(String), expect.any(String)]);
    const next = await bound.refresh(first.refresh_token);
    for (const { token_type, access_token } of [first, next]) {
      expect(token_type).toBe('dpop');
      const orders = new URL('/orders', world().urls.orders);
      expect((await bound.get(orders, access_token)).status).toBe(200);
      expect(await statuses(access_token)).toEqual([401, 401, 401]);
    }
  });

  it('is connected on a device by its user in a browser', async () => {
    const device = await application.beginOnDevice({ scope: 'openid api' });
    const browser = new Browser(ISSUER);
    const page = await browser.open(device.verification_uri_complete ?? '');
    const question = await browser.submit(page, { user_code: device.user_code });
    const { email, password } = await person.register();
    const signIn = await browser.submit(question, { confirm: 'yes' });
    await browser.submit(signIn, { email, password });
    const { access_token } = await application.redeemDevice(device);
    expect(await statuses(access_token)).toEqual(ACCEPTED);
  });

  it('gets a token of its own by its key', async () => {
    const request = { resource: 'urn:signet:payments', scope: 'payments:charge' };
    const { access_token: token } = await application.clientCredentials(request);
    const charge = await person.call('payments', 'POST /internal/payments', { token, body: {} });
    expect(charge).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect((await person.call('orders', 'GET /orders', { token })).status).toBe(401);
    const { privateKey } = await generateKeyPair('ES256');
    const stolen = (await connect({ ...identity, privateKey })).clientCredentials(request);
    await expect(stolen).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it('exchanges its user’s token for one that is good at one service alone', async () => {
    const { access_token: subject_token } = await signedIn(application);
    const { access_token } = await application.exchange({
      subject_token,
      subject_token_type: ACCESS_TOKEN,
      resource: 'urn:signet:payments',
    });
    expect(decodeJwt(access_token)).toMatchObject({ act: { sub: identity.id } });
    expect(await statuses(access_token)).toEqual([401, 404, 401]);
  });

  it.each(['access_token', 'refresh_token'] as const)(
    'sees that its user’s login is over, here and in every service, once it has revoked the %s',
    async (which) => {
      const tokens = await signedIn(application);
      expect(await application.introspect(tokens.access_token)).toMatchObject({ active: true });
      await application.revoke(tokens[which]);
      for (const token of [tokens.access_token, tokens.refresh_token]) {
        expect(await application.introspect(token)).toEqual({ active: false });
      }
      const refresh = application.refresh(tokens.refresh_token);
      await expect(refresh).rejects.toMatchObject({ error: 'invalid_grant' });
      await refusedEverywhere(tokens.access_token);
    },
  );

  it('signs its user out', async () => {
    const { browser, ...tokens } = await signedIn(application);
    const page = application.logoutPage({
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: GOODBYE,
    });
    const bye = await browser.submit(await browser.open(page), { logout: 'yes' });
    expect(bye.url.href).toBe(GOODBYE);
    const refresh = application.refresh(tokens.refresh_token);
    await expect(refresh).rejects.toMatchObject({ error: 'invalid_grant' });
    await refusedEverywhere(tokens.access_token);
  });
});
