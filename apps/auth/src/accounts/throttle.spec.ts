import { logIn, newEmail, PASSWORD, register, startAuth } from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';

describe('a crowd that logs in at once', () => {
  it('is served in turn, and told to come back when the queue is too long', async () => {
    const environment = {
      SIGNET_PASSWORD_CONCURRENCY: '1',
      SIGNET_LOGIN_ATTEMPTS: '1000',
      SIGNET_LOGIN_ATTEMPTS_TOTAL: '1000',
      SIGNET_LOGIN_ATTEMPTS_SOURCE: '1000',
    };
    const busy = await startAuth({ environment });
    const { email } = await register(busy);
    const answers = await Promise.all(Array.from({ length: 200 }, () => logIn(busy, email)));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(100);
    for (const { status, body, headers } of refused) {
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'busy', '2']);
    }
    expect((await logIn(busy, email)).status).toBe(200);
  });
});

describe('guessing', () => {
  let guarded: RunningAuth;

  beforeAll(async () => {
    guarded = await startAuth({
      environment: {
        SIGNET_LOGIN_ATTEMPTS: '3',
        SIGNET_LOGIN_ATTEMPTS_TOTAL: '100',
        SIGNET_REGISTRATIONS_PER_HOUR: '4',
      },
    });
  });

  it('is stopped after some attempts, whether or not there is an account', async () => {
    const { email } = await register(guarded);
    for (const address of [email, newEmail()]) {
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 4; attempt++) {
        statuses.push((await logIn(guarded, address, 'a wrong password')).status);
      }
      expect(statuses).toEqual([401, 401, 401, 429]);
    }
    const answer = await logIn(guarded, email);
    expect(answer).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('at the same time gets no more attempts than one after the other', async () => {
    const email = newEmail();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => logIn(guarded, email, 'a wrong password')),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(3);
  });

  it('one password for many accounts is stopped', async () => {
    const sprayed = await startAuth({ environment: { SIGNET_LOGIN_ATTEMPTS_SOURCE: '5' } });
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      statuses.push((await logIn(sprayed, newEmail(), 'a wrong password')).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it('does not count against one address what was refused because of all of them', async () => {
    const environment = { SIGNET_LOGIN_ATTEMPTS: '3', SIGNET_LOGIN_ATTEMPTS_TOTAL: '1' };
    const besieged = await startAuth({ environment });
    const { email } = await register(besieged);
    const guess = async () => (await logIn(besieged, email, 'a wrong password')).status;
    expect([await guess(), await guess(), await guess(), await guess()]).toEqual([
      401, 429, 429, 429,
    ]);
    // As if the siege had been a quarter of an hour ago.
    await besieged.query(`delete from throttles where key like 'login-total:%'`);
    expect((await logIn(besieged, email)).status).toBe(200);
  });

  it('does not count for who knows the password', async () => {
    const { email } = await register(guarded);
    for (let attempt = 0; attempt < 5; attempt++) {
      expect((await logIn(guarded, email)).status).toBe(200);
    }
  });

  it('which addresses have an account, by registering them, is stopped too', async () => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 5; attempt++) {
      const json = { email: newEmail(), password: PASSWORD };
      statuses.push((await guarded.call('POST', '/auth/register', { json })).status);
    }
    expect(statuses).toContain(429);
  });
});
