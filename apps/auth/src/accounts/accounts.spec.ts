import {
  logIn,
  newEmail,
  PASSWORD,
  refresh,
  register,
  startAuth,
  verify,
  someText,
} from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';

let auth: RunningAuth;

beforeAll(async () => {
  auth = await startAuth();
});

describe('registering', () => {
  it('opens an account, logs its owner in and makes them a customer, nothing more', async () => {
    const email = newEmail();
    const answer = await auth.call('POST', '/auth/register', {
      json: { email, password: PASSWORD },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { payload } = await verify(auth, answer.body.access_token);
    expect(payload.roles).toEqual(['customer']);
    const me = await auth.call('GET', '/auth/me', { token: answer.body.access_token });
    expect(me.body).toEqual({
      id: payload.sub,
      email,
      roles: ['customer'],
      createdAt: someText,
    });
  });

  it('says that an address is taken, in whatever case it comes', async () => {
    const { email } = await register(auth);
    const json = { email: email.toUpperCase(), password: PASSWORD };
    const answer = await auth.call('POST', '/auth/register', { json });
    expect(answer).toMatchObject({ status: 409, body: { code: 'email_taken' } });
  });

  it('makes one account when the same address registers many times at once', async () => {
    const json = { email: newEmail(), password: PASSWORD };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => auth.call('POST', '/auth/register', { json })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
  });

  it.each([
    ['a short password', { password: 'eleven char' }, 400],
    ['a password of more than 128 characters', { password: 'x'.repeat(129) }, 400],
    ['a role', { roles: ['admin'] }, 400],
    ['no address', { email: undefined }, 400],
    ['an address that is none', { email: 'not an address' }, 400],
    ['a number for a password', { password: 123456789012 }, 400],
    [
      'the address for a password',
      { email: 'ada.lovelace@example.com', password: 'Ada.Lovelace@example.com' },
      422,
    ],
  ])('refuses %s and says what was expected', async (_what, change, status) => {
    const json = { email: newEmail(), password: PASSWORD, ...change };
    const answer = await auth.call('POST', '/auth/register', { json });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body.detail).toMatch(/expected|Invalid|Unrecognized/);
    expect(await auth.query('select 1 from users where email = $1', [json.email ?? ''])).toEqual(
      [],
    );
  });

  it.each([
    ['a common one', 'administrator'],
    ['a common one with what everybody adds', 'Password1234'],
    ['a common one in other letters', 'P@ssw0rd1234'],
    ['a common one twice', 'letmeinletmein'],
    ['a row of keys', 'qwertyuiopas'],
    ['one character over and over', 'aaaaaaaaaaaaaaaa'],
    ['the alphabet', 'abcdefghijkl'],
    ['the name of the service', 'SignetSignet'],
    ['a part of the address', 'lovelacelovelace'],
  ])('refuses a password that is guessed first: %s', async (_what, password) => {
    const json = { email: 'ada.lovelace@example.com', password };
    const answer = await auth.call('POST', '/auth/register', { json });
    expect(answer).toMatchObject({ status: 422, body: { code: 'password_too_weak' } });
    expect(answer.text).not.toContain(password);
  });

  it('takes a password of 12 characters of any script, however they are encoded', async () => {
    const email = newEmail();
    const composed = 'à côté 🦊 été';
    const json = { email, password: composed };
    expect((await auth.call('POST', '/auth/register', { json })).status).toBe(201);
    expect((await logIn(auth, email, composed.normalize('NFD'))).status).toBe(200);
  });

  it.each([
    ['malformed JSON', '{"email":'],
    ['nothing', ''],
    ['a list', '[]'],
    ['a prototype', '{"__proto__":{"email":"a@b.example","password":"correct horse battery"}}'],
  ])('answers %s with 400', async (_what, raw) => {
    expect((await auth.call('POST', '/auth/register', { raw })).status).toBe(400);
  });

  it('answers a body of a megabyte with 413', async () => {
    const raw = JSON.stringify({ email: newEmail(), password: 'x'.repeat(1_000_000) });
    expect((await auth.call('POST', '/auth/register', { raw })).status).toBe(413);
  });
});

describe('an account', () => {
  it('is kept with an argon2id hash of the recommended cost', async () => {
    const { email } = await register(auth);
    const [row] = await auth.query<{ password_hash: string }>(
      'select password_hash from users where email = $1',
      [email],
    );
    expect(row?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  it('is shown to nobody without a token', async () => {
    const answer = await auth.call('GET', '/auth/me');
    expect(answer).toMatchObject({ status: 401, body: { code: 'token_missing' } });
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
  });
});

describe('changing the password', () => {
  const NEW = 'another good password';

  it('ends the other sessions, keeps this one, and only the new password opens the account', async () => {
    const other = await register(auth);
    const { body: mine } = await logIn(auth, other.email);
    const answer = await auth.call('POST', '/auth/password', {
      token: mine.access_token,
      json: { currentPassword: PASSWORD, newPassword: NEW },
    });
    expect(answer.status).toBe(204);
    expect((await refresh(auth, other.refresh_token)).status).toBe(401);
    expect((await refresh(auth, mine.refresh_token)).status).toBe(200);
    expect((await logIn(auth, other.email, PASSWORD)).status).toBe(401);
    expect((await logIn(auth, other.email, NEW)).status).toBe(200);
  });

  it('refuses one that is guessed first', async () => {
    const { access_token: token, email } = await register(auth);
    const json = { currentPassword: PASSWORD, newPassword: 'Welcome12345' };
    const answer = await auth.call('POST', '/auth/password', { token, json });
    expect(answer).toMatchObject({ status: 422, body: { code: 'password_too_weak' } });
    expect((await logIn(auth, email)).status).toBe(200);
  });

  it('asks for the current one', async () => {
    const { access_token: token, email } = await register(auth);
    const json = { currentPassword: 'not the password', newPassword: NEW };
    const answer = await auth.call('POST', '/auth/password', { token, json });
    expect(answer).toMatchObject({ status: 403, body: { code: 'wrong_password' } });
    expect((await logIn(auth, email)).status).toBe(200);
  });
});
