import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { configured, registered, signedInAt } from './applications.ts';
import { world } from '../system/world.ts';

const CALLBACK = 'com.example.shop:/callback';

// guide: registration
const MOBILE_APP = {
  client_name: 'Shop on the phone',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: [CALLBACK],
  dpop_bound_access_tokens: true,
  first_party: true,
  audiences: { 'urn:signet:api': ['api'] },
};
// guide: end

let config: oidc.Configuration;

beforeAll(async () => {
  const { id } = await registered(MOBILE_APP);
  config = await configured(id, oidc.None());
});

async function signIn(DPoP: oidc.DPoPHandle) {
  // guide: sign-in
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const page = oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid api offline_access',
    prompt: 'consent',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  // guide: end
  const { view, browser } = await signedInAt(page);
  // Whoever took the application's scheme would otherwise get a code without anybody noticing.
  expect(view.html).toContain('Shop on the phone asks for access');
  const back = await browser.submit(view, {}, '/consent');
  const currentUrl = back.url;
  // guide: callback
  const checks = { pkceCodeVerifier };
  const tokens = await oidc.authorizationCodeGrant(config, currentUrl, checks, undefined, { DPoP });
  // guide: end
  return { tokens, browser };
}

async function newKey() {
  // guide: key
  const keyPair = await oidc.randomDPoPKeyPair('ES256');
  const DPoP = oidc.getDPoPHandle(config, keyPair);
  // guide: end
  return { keyPair, DPoP };
}

it('gets tokens that are bound to a key of the device, after a challenge with a nonce', async () => {
  const { DPoP } = await newKey();
  const { tokens } = await signIn(DPoP);
  expect(tokens.token_type).toBe('dpop');
  expect(decodeJwt(tokens.access_token)).toMatchObject({
    aud: 'urn:signet:api',
    cnf: { jkt: await DPoP.calculateThumbprint() },
  });
});

it('calls a service with a proof for each request; without one the token opens nothing', async () => {
  const { DPoP } = await newKey();
  const { tokens } = await signIn(DPoP);
  const orders = new URL(`${world().urls.orders}/orders`);
  const call = oidc.fetchProtectedResource;
  const answer = await call(config, tokens.access_token, orders, 'GET', undefined, undefined, {
    DPoP,
  });
  expect(answer.status).toBe(200);
  const stolen = await fetch(orders, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  expect(stolen.status).toBe(401);
  expect(stolen.headers.get('www-authenticate')).toMatch(/DPoP /);
});

it('learns who its user is, with a proof', async () => {
  const { DPoP } = await newKey();
  const { tokens } = await signIn(DPoP);
  const subject = tokens.claims()?.sub ?? '';
  const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, subject, { DPoP });
  expect(userinfo).toEqual({ sub: subject });
});

it('goes on with the same key, and with no other', async () => {
  const { DPoP } = await newKey();
  const { tokens } = await signIn(DPoP);
  const refreshToken = tokens.refresh_token ?? '';
  const { DPoP: another } = await newKey();
  const stolen = oidc.refreshTokenGrant(config, refreshToken, undefined, { DPoP: another });
  await expect(stolen).rejects.toMatchObject({ error: 'invalid_grant' });
  const bare = oidc.refreshTokenGrant(config, refreshToken);
  await expect(bare).rejects.toMatchObject({ error: 'invalid_grant' });
  // guide: refresh
  const next = await oidc.refreshTokenGrant(config, refreshToken, undefined, { DPoP });
  // guide: end
  expect(next.token_type).toBe('dpop');
});

it('stays signed in when its user signs out of the browser', async () => {
  const { DPoP } = await newKey();
  const { tokens, browser } = await signIn(DPoP);
  await browser.submit(await browser.open('/oauth/logout'), { logout: 'yes' });
  const next = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, {
    DPoP,
  });
  expect(next.access_token).toBeTruthy();
});
