import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { isElsewhere } from '../system/world.ts';
import { CALLBACK, configured, ISSUER, registered, signedInAt, person } from './applications.ts';
import { Browser } from './browser.ts';

// guide: registration
const WEB_APP = {
  client_name: 'Book club',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: [CALLBACK],
  require_pushed_authorization_requests: true,
};
// guide: end

async function application(metadata: object = {}) {
  const { id, secret } = await registered({ ...WEB_APP, ...metadata });
  // guide: configuration
  const config = await configured(id, oidc.ClientSecretBasic(secret));
  // guide: end
  return { config, id };
}

async function consented(config: oidc.Configuration, browser = new Browser(ISSUER)) {
  // guide: sign-in
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const page = await oidc.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: CALLBACK,
    scope: 'openid email',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  // guide: end
  const { view, email } = await signedInAt(page, browser);
  expect(view.html).toContain('Book club asks for access');
  const back = await browser.submit(view, {}, '/consent');
  // guide: callback
  const tokens = await oidc.authorizationCodeGrant(config, back.url, { pkceCodeVerifier });
  // guide: end
  return { tokens, email, browser };
}

it('pushes its request, has its user’s consent, and learns who that is', async () => {
  const { config } = await application();
  const { tokens, email } = await consented(config);
  expect(tokens.claims()).toMatchObject({ email });
});

it('gets tokens that open no service, unless it was allowed that', async () => {
  const { config } = await application();
  const { tokens } = await consented(config);
  const token = tokens.access_token;
  expect((await person.call('auth', 'GET /auth/me', { token })).status).toBe(401);
  expect((await person.call('orders', 'GET /orders', { token })).status).toBe(401);
  expect((await person.call('payments', 'GET /admin/payments', { token })).status).toBe(401);
});

it('keeps its refresh token, which is worth nothing without the secret', async () => {
  const { config, id } = await application();
  const { tokens } = await consented(config);
  const next = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '');
  expect(next.refresh_token).toBe(tokens.refresh_token);
  const thief = await configured(id, oidc.None());
  const stolen = oidc.refreshTokenGrant(thief, tokens.refresh_token ?? '');
  await expect(stolen).rejects.toMatchObject({ error: 'invalid_client' });
});

it('is not let in with a request that went through the browser', async () => {
  const { config } = await application();
  const page = oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid',
    code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
  });
  const { url } = await new Browser(ISSUER).open(page);
  expect(url.searchParams.get('error')).toBe('invalid_request');
});

// An auth that runs elsewhere, in a container say, cannot call this process.
(isElsewhere ? it.skip : it)('is told when its user signs out elsewhere', async () => {
  const received: string[] = [];
  // guide: back-channel
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push(new URLSearchParams(body).get('logout_token') ?? '');
      response.writeHead(200).end();
    });
  });
  // guide: end
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const backchannel_logout_uri = `http://127.0.0.1:${port}/logged-out`;
    const { config, id } = await application({ backchannel_logout_uri });
    const { tokens, browser } = await consented(config);
    await browser.submit(await browser.open('/oauth/logout'), { logout: 'yes' });
    for (let wait = 0; wait < 200 && received.length === 0; wait++) await sleep(50);
    // guide: logout-token
    const keys = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(received[0] ?? '', keys, {
      issuer: ISSUER,
      audience: id,
      typ: 'logout+jwt',
    });
    // guide: end
    expect(payload.sid).toBe(tokens.claims()?.sid);
    expect(payload.events).toEqual({ 'http://schemas.openid.net/event/backchannel-logout': {} });
  } finally {
    server.close();
  }
});
