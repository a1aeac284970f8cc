import { Logger } from '@nestjs/common';
import { createHash } from 'node:crypto';
import {
  logIn,
  newEmail,
  ORDERS_SECRET,
  PASSWORD,
  refresh,
  register,
  startAuth,
} from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';

let auth: RunningAuth;

beforeAll(async () => {
  auth = await startAuth({ environment: { SIGNET_LOGIN_ATTEMPTS: '2' } });
});

async function count(metric: string): Promise<number> {
  const { text } = await auth.call('GET', '/metrics');
  const line = text.split('\n').find((each) => each.startsWith(`${metric} `));
  return Number(line?.slice(metric.length + 1) ?? 0);
}

describe('an operator sees at /metrics', () => {
  it('how many passwords were right, wrong and not even looked at', async () => {
    const { email } = await register(auth);
    await logIn(auth, email);
    for (let attempt = 0; attempt < 3; attempt++) await logIn(auth, email, 'a wrong password');
    expect(await count('signet_auth_logins_total{outcome="right"}')).toBe(1);
    expect(await count('signet_auth_logins_total{outcome="wrong"}')).toBe(2);
    expect(await count('signet_auth_logins_total{outcome="throttled"}')).toBe(1);
  });

  it('how many tokens were granted and refused, and for what', async () => {
    const { refresh_token } = await register(auth);
    await refresh(auth, refresh_token);
    await refresh(auth, 'nothing that was ever given out');
    expect(await count('signet_auth_grants_total{grant="refresh_token",outcome="issued"}')).toBe(1);
    expect(
      await count('signet_auth_grants_total{grant="refresh_token",outcome="invalid_grant"}'),
    ).toBe(1);
    const credentials = Buffer.from(`orders:${ORDERS_SECRET}x`).toString('base64');
    const headers = { authorization: `Basic ${credentials}` };
    const form = { grant_type: 'client_credentials' };
    await auth.call('POST', '/oauth/token', { form, headers });
    expect(
      await count('signet_auth_grants_total{grant="client_credentials",outcome="invalid_client"}'),
    ).toBe(1);
  });

  it('nothing that a caller made up', async () => {
    const form = { grant_type: 'made up"} 1', client_id: 'first-party' };
    await auth.call('POST', '/oauth/token', { form });
    expect((await auth.call('GET', '/metrics')).text).not.toContain('made up');
  });
});

describe('the log', () => {
  const email = newEmail();

  /** What a service wrote while it made an account and somebody guessed its password. */
  async function linesOf(cookieSecret: string): Promise<{ account: string; text: string }> {
    const lines = (['log', 'warn'] as const).map((level) =>
      jest.spyOn(Logger.prototype, level).mockImplementation(() => undefined),
    );
    const seeds = [{ email, password: PASSWORD, roles: ['warehouse'] }];
    const environment = {
      SIGNET_SEED_ACCOUNTS: JSON.stringify(seeds),
      SIGNET_COOKIE_SECRET: cookieSecret,
    };
    await logIn(await startAuth({ environment }), email, 'a wrong password');
    const written = lines.flatMap(({ mock }) => mock.calls as unknown[][]).flat();
    jest.restoreAllMocks();
    const isAccount = (line: unknown): line is { account: string } =>
      typeof line === 'object' && line !== null && 'account' in line;
    return { account: written.find(isAccount)?.account ?? '', text: JSON.stringify(written) };
  }

  it('knows an account again on every replica, but not its address, nor what can be tried on it', async () => {
    const [secret, another] = ['a', 'b'].map((letter) => letter.repeat(32)) as [string, string];
    const { account, text } = await linesOf(secret);
    expect(account).toMatch(/^[\w-]{16}$/);
    expect((await linesOf(secret)).account).toBe(account);
    expect((await linesOf(another)).account).not.toBe(account);
    expect(text).toContain('warehouse');
    expect(text).not.toContain(email);
    const hash = createHash('sha256').update(email);
    expect(text).not.toContain(hash.digest('base64url').slice(0, 16));
  });
});
