import { ConfigError } from '@signet/http';
import { createTestDatabase } from '@signet/database/testing';
import { authConfig } from './config.js';
import {
  KEY_ENCRYPTION_KEY,
  logIn,
  PASSWORD,
  refresh,
  register,
  startAuth,
  verify,
} from './testing/running-auth.js';

const GOOD = {
  DATABASE_URL: 'postgres://localhost/auth',
  SIGNET_KEY_ENCRYPTION_KEY: 'A'.repeat(43),
  SIGNET_COOKIE_SECRET: 'x'.repeat(32),
  SIGNET_ORDERS_CLIENT_SECRET: 'y'.repeat(32),
};

describe('the configuration', () => {
  it('is complete with a database and three secrets', () => {
    expect(authConfig(GOOD)).toMatchObject({
      PORT: 3000,
      HOST: '127.0.0.1',
      SIGNET_ISSUER: 'http://127.0.0.1:3000',
      SIGNET_ACCESS_TOKEN_SECONDS: 600,
    });
  });

  it.each([
    ['SIGNET_KEY_ENCRYPTION_KEY', 'too-short', '32 random bytes in base64url'],
    ['SIGNET_COOKIE_SECRET', 'short', '32 to 512 printable'],
    ['SIGNET_ORDERS_CLIENT_SECRET', '', 'is not set'],
    ['SIGNET_ISSUER', 'http://127.0.0.1:3000/', 'no final slash'],
    ['SIGNET_ISSUER', 'https://id.example.com/auth', 'no path'],
    ['SIGNET_SEED_ACCOUNTS', '{', 'expected JSON'],
    [
      'SIGNET_SEED_ACCOUNTS',
      '[{"email":"a@b.example","password":"short","roles":[]}]',
      '12 to 128',
    ],
    [
      'SIGNET_SEED_ACCOUNTS',
      '[{"email":"a@b.example","password":"long enough","roles":["king"]}]',
      'roles',
    ],
    ['SIGNET_ACCESS_TOKEN_SECONDS', 'ten', 'number'],
  ])('stops the boot when %s is %j, and says why', (name, value, expected) => {
    const read = () => authConfig({ ...GOOD, [name]: value });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(name);
    expect(read).toThrow(expected);
  });

  it('is not repeated in the message when it is a secret', () => {
    expect(() => authConfig({ ...GOOD, SIGNET_COOKIE_SECRET: 'hunter2' })).not.toThrow('hunter2');
  });
});

describe('a second start on the same database', () => {
  it('goes on with the same keys and sessions', async () => {
    const first = await startAuth();
    const user = await register(first);
    await first.stop();
    const second = await startAuth({ database: first.database });
    expect((await verify(second, user.access_token)).payload.client_id).toBe('first-party');
    expect((await second.call('GET', '/auth/me', { token: user.access_token })).status).toBe(200);
    expect((await refresh(second, user.refresh_token)).status).toBe(200);
  });

  it('does not start with another key-encryption key, and says what to do', async () => {
    const first = await startAuth();
    await first.stop();
    const environment = { SIGNET_KEY_ENCRYPTION_KEY: 'B'.repeat(42) + 'A' };
    const second = startAuth({ database: first.database, environment });
    await expect(second).rejects.toThrow(ConfigError);
    await expect(second).rejects.toThrow(
      /SIGNET_KEY_ENCRYPTION_KEY is .+ Give the service the key/,
    );
  });

  it('puts the keys under another key-encryption key when it is also given the one before', async () => {
    const first = await startAuth();
    const user = await register(first);
    await first.stop();
    const next = 'B'.repeat(42) + 'A';
    const both = {
      SIGNET_KEY_ENCRYPTION_KEY: next,
      SIGNET_KEY_ENCRYPTION_KEY_PREVIOUS: KEY_ENCRYPTION_KEY,
    };
    const second = await startAuth({ database: first.database, environment: both });
    expect((await second.call('GET', '/auth/me', { token: user.access_token })).status).toBe(200);
    await second.stop();
    const alone = { SIGNET_KEY_ENCRYPTION_KEY: next };
    const third = await startAuth({ database: first.database, environment: alone });
    expect((await verify(third, user.access_token)).payload.client_id).toBe('first-party');
    expect((await refresh(third, user.refresh_token)).status).toBe(200);
  });

  it('at the same time as the first makes one set of keys', async () => {
    const database = await createTestDatabase();
    const services = await Promise.all([startAuth({ database }), startAuth({ database })]);
    const [one, two] = services;
    const user = await register(one);
    expect((await two.call('GET', '/auth/me', { token: user.access_token })).status).toBe(200);
    expect((await refresh(two, user.refresh_token)).status).toBe(200);
    const keys = await one.query<{ state: string }>(
      'select state from signing_keys order by state',
    );
    expect(keys).toEqual([{ state: 'active' }, { state: 'next' }, { state: 'next' }]);
  });
});

describe('the accounts of the configuration', () => {
  const email = 'admin@signet.test';
  const environment = (account: object) => ({
    SIGNET_SEED_ACCOUNTS: JSON.stringify([
      { email, password: PASSWORD, roles: ['admin'], ...account },
    ]),
  });

  it('exist when the service is ready, and are left alone from then on', async () => {
    const first = await startAuth({ environment: environment({}) });
    const { body } = await logIn(first, email);
    expect((await verify(first, body.access_token)).payload.roles).toEqual(['admin']);
    await first.query(`update users set roles = '{admin,support}'`);
    await first.stop();

    const changed = environment({ password: 'another good password' });
    const second = await startAuth({ database: first.database, environment: changed });
    const again = await logIn(second, email);
    expect((await verify(second, again.body.access_token)).payload.roles).toEqual([
      'admin',
      'support',
    ]);
    await second.stop();

    const reset = environment({ password: 'another good password', resetPassword: true });
    const third = await startAuth({ database: first.database, environment: reset });
    expect((await logIn(third, email)).status).toBe(401);
    expect((await logIn(third, email, 'another good password')).status).toBe(200);
    expect((await refresh(third, again.body.refresh_token)).status).toBe(401);
    await third.stop();
  });

  it('keep the password that their user has chosen since, however often the service restarts', async () => {
    const reset = environment({ resetPassword: true });
    const first = await startAuth({ environment: reset });
    const { body } = await logIn(first, email);
    const chosen = 'a password that is my own';
    const change = await first.call('POST', '/auth/password', {
      token: body.access_token,
      json: { currentPassword: PASSWORD, newPassword: chosen },
    });
    expect(change.status).toBe(204);
    await first.stop();

    const second = await startAuth({ database: first.database, environment: reset });
    expect((await logIn(second, email)).status).toBe(401);
    expect((await logIn(second, email, chosen)).status).toBe(200);
    await second.stop();

    const changed = environment({ password: 'another good password', resetPassword: true });
    const third = await startAuth({ database: first.database, environment: changed });
    expect((await logIn(third, email, 'another good password')).status).toBe(200);
  });
});
