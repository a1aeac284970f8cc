import { Browser } from '../testing/browser.js';
import { CALLBACK, OWN_PAGE, signedIn, WATCHER } from '../testing/applications.js';
import { startAuth } from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';

let auth: RunningAuth;

beforeAll(async () => {
  const device = {
    client_id: 'tv',
    client_name: 'Television',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    audiences: { 'urn:signet:api': ['api'] },
  };
  const SIGNET_CLIENTS = JSON.stringify([OWN_PAGE, WATCHER, device]);
  auth = await startAuth({ environment: { SIGNET_CLIENTS } });
});

async function device() {
  const form = { client_id: 'tv', scope: 'openid api' };
  const answer = await auth.call('POST', '/oauth/device/authorize', { form });
  return JSON.parse(answer.text) as { device_code: string; user_code: string };
}

it('no code, cookie, request or address that opens something can be read in the database', async () => {
  const { code, browser, email } = await signedIn(auth);
  const { device_code, user_code } = await device();
  const form = {
    client_id: OWN_PAGE.client_id,
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  };
  const pushed = await auth.call('POST', '/oauth/par', { form });
  const { request_uri } = JSON.parse(pushed.text) as { request_uri: string };
  // On the way of connecting a device, with a session that is signed on: what this is about is in
  // the interaction.
  const page = await browser.submit(await browser.open(`/oauth/device?user_code=${user_code}`));
  await browser.submit(page, { user_code, confirm: 'yes' });
  const stranger = await new Browser(auth).open(
    `/oauth/authorize?${String(new URLSearchParams(form))}`,
  );

  const secrets = [
    code,
    device_code,
    user_code.replace('-', ''),
    request_uri.split(':').pop() ?? '',
    stranger.url.pathname.split('/').pop() ?? '',
    WATCHER.client_secret,
    ...browser.cookieValues(),
  ];
  const tables = ['engine_records', 'grants', 'sessions', 'clients', 'users', 'throttles'];
  const rows = await Promise.all(tables.map((table) => auth.query(`select * from ${table}`)));
  const dump = JSON.stringify(rows);
  expect(dump).toContain(email);
  expect(secrets.length).toBeGreaterThan(8);
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThanOrEqual(8);
    for (const encoding of ['utf8', 'base64', 'base64url', 'hex'] as const) {
      expect(dump).not.toContain(Buffer.from(secret).toString(encoding));
    }
  }
});

it('a device’s code is not found out by trying what the database has of it', async () => {
  const { user_code } = await device();
  const records = await auth.query<{ hash: string; user_code_hash: string | null }>(
    `select hash, user_code_hash from engine_records where model = 'DeviceCode'`,
  );
  for (const { hash, user_code_hash } of records) {
    for (const device_code of [hash, user_code_hash ?? '', user_code, `.handle.${hash}`]) {
      const form = {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        client_id: 'tv',
        device_code,
      };
      const { body } = await auth.call('POST', '/oauth/token', { form });
      expect(body.error).toBe('invalid_grant');
    }
  }
});
