import * as oidc from 'openid-client';
import { configured, ISSUER, person, registered } from './applications.ts';
import { Browser } from './browser.ts';

// guide: registration
const COMMAND_LINE = {
  client_name: 'Shop on the command line',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
  first_party: true,
  audiences: { 'urn:signet:api': ['api'] },
};
// guide: end

let config: oidc.Configuration;

beforeAll(async () => {
  const { id } = await registered(COMMAND_LINE);
  config = await configured(id, oidc.None());
});

async function begin() {
  // guide: begin
  const device = await oidc.initiateDeviceAuthorization(config, { scope: 'openid api' });
  const message = `Open ${device.verification_uri} and enter ${device.user_code}`;
  // guide: end
  expect(message).toContain('/oauth/device and enter ');
  return device;
}

async function confirmed(userCode: string, browser: Browser) {
  const page = await browser.open(`/oauth/device?user_code=${userCode}`);
  expect(page.html).toContain(`value="${userCode}"`);
  const question = await browser.submit(page, { user_code: userCode });
  expect(question.html).toContain('Is this your device?');
  expect(question.html).toContain(userCode);
  return question;
}

it('is connected by its user in a browser, and acts for them', async () => {
  const device = await begin();
  const browser = new Browser(ISSUER);
  const question = await confirmed(device.user_code, browser);
  const { email, password } = await person.register();
  const signIn = await browser.submit(question, { confirm: 'yes' });
  const consent = await browser.submit(signIn, { email, password });
  const done = await browser.submit(consent, {}, '/consent');
  expect(done.html).toContain('Your device is connected.');
  // guide: poll
  const tokens = await oidc.pollDeviceAuthorizationGrant(config, device);
  // guide: end
  const token = tokens.access_token;
  expect((await person.call('orders', 'GET /orders', { token })).status).toBe(200);
  const sessions = await person.call('auth', 'GET /auth/sessions', { token });
  expect(sessions.body.items).toContainEqual(expect.objectContaining({ current: true }));
  // It goes on when its user signs out of the browser.
  await browser.submit(await browser.open('/oauth/logout'), { logout: 'yes' });
  expect(
    (await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')).access_token,
  ).toBeTruthy();
});

it('learns that its user does not know it', async () => {
  const device = await begin();
  const browser = new Browser(ISSUER);
  const question = await confirmed(device.user_code, browser);
  const refused = await browser.submit(question, { abort: 'yes' });
  expect(refused.html).toContain('The device was not connected.');
  const polled = oidc.pollDeviceAuthorizationGrant(config, device);
  await expect(polled).rejects.toMatchObject({ error: 'access_denied' });
});

it('is not connected by a code that it does not show', async () => {
  const browser = new Browser(ISSUER);
  const page = await browser.open('/oauth/device');
  const again = await browser.submit(page, { user_code: 'BCDF-GHJK' });
  expect(again.html).toContain('That is not a code, or not any more.');
});
