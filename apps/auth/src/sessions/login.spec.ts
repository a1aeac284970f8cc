import {
  logIn,
  newEmail,
  PASSWORD,
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

describe('logging in', () => {
  it('answers tokens as OAuth names them, and tells caches to keep nothing', async () => {
    const { email } = await register(auth);
    const answer = await logIn(auth, email);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      access_token: someText,
      token_type: 'Bearer',
      expires_in: 600,
      refresh_token: someText,
      scope: 'api',
    });
  });

  it('gives a token that says who, for whom, since when and with which roles', async () => {
    const { email } = await register(auth);
    const before = Math.floor(Date.now() / 1000) - 1;
    const { body } = await logIn(auth, email);
    const { payload, header } = await verify(auth, body.access_token);
    expect(header).toEqual({ alg: 'RS256', typ: 'at+jwt', kid: someText });
    expect(payload).toEqual({
      iss: 'http://127.0.0.1:3000',
      aud: 'urn:signet:api',
      sub: someText,
      client_id: 'first-party',
      jti: someText,
      sid: someText,
      roles: ['customer'],
      scope: 'api',
      acr: 'urn:signet:acr:password',
      amr: ['pwd'],
      auth_time: someNumber,
      iat: someNumber,
      exp: someNumber,
    });
    expect(payload.auth_time).toBeGreaterThanOrEqual(before);
    expect(payload.exp - payload.iat).toBe(600);
  });

  it('answers a wrong password, an unknown address and a disabled account alike', async () => {
    const { email } = await register(auth);
    const disabled = await register(auth);
    await auth.query('update users set disabled_at = now() where email = $1', [disabled.email]);
    const answers = await Promise.all([
      logIn(auth, email, 'not the password at all'),
      logIn(auth, newEmail(), PASSWORD),
      logIn(auth, disabled.email, PASSWORD),
    ]);
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.body).toEqual(answers[0].body);
    }
    expect(answers[0].body.code).toBe('invalid_credentials');
  });

  it('knows an address in any case', async () => {
    const { email } = await register(auth);
    expect((await logIn(auth, email.toUpperCase())).status).toBe(200);
  });
});
