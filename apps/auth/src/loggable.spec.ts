import { Logger } from '@nestjs/common';
import { loggable } from '@signet/http';

import { OWN_PAGE } from './testing/applications.js';
import { Browser } from './testing/browser.js';
import { PASSWORD, refresh, register, startAuth } from './testing/running-auth.js';

it('no log line has what a failed query was about, whichever way it was asked', async () => {
  const auth = await startAuth({ environment: { SIGNET_CLIENTS: JSON.stringify([OWN_PAGE]) } });
  const { email, refresh_token } = await register(auth);
  const query = new URLSearchParams({
    client_id: OWN_PAGE.client_id,
    response_type: 'code',
    redirect_uri: OWN_PAGE.redirect_uris[0] ?? '',
    scope: 'openid',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  });
  const browser = new Browser(auth);
  const page = await browser.open(`/oauth/authorize?${query.toString()}`);
  const lines = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  await auth.query('alter table users rename column email to address');
  const login = { email, password: PASSWORD };
  expect((await auth.call('POST', '/auth/login', { json: login })).status).toBe(500);
  expect((await browser.submit(page, login)).status).toBe(500);
  expect((await refresh(auth, refresh_token)).status).toBe(500);
  const text = lines.mock.calls.flat().join('\n');
  lines.mockRestore();
  expect(text.match(/column .*email.* does not exist/g)?.length).toBeGreaterThanOrEqual(3);
  expect(text).not.toContain(email);
});

it('what is thrown without being an error is logged as it is', () => {
  expect(loggable('why')).toBe('why');
});
