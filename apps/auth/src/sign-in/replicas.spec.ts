import { CALLBACK, OWN_PAGE, redeem } from '../testing/applications.js';
import { Browser } from '../testing/browser.js';
import { endingOf, PASSWORD, register, startAuth } from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';
import { createHash, randomBytes } from 'node:crypto';

const TELEVISION = {
  client_id: 'tv',
  client_name: 'Television',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
  audiences: { 'urn:signet:api': ['api'] },
};

let one: RunningAuth;
let two: RunningAuth;

beforeAll(async () => {
  const environment = { SIGNET_CLIENTS: JSON.stringify([OWN_PAGE, TELEVISION]) };
  one = await startAuth({ environment });
  two = await startAuth({ environment, database: one.database });
});

/** A browser behind a load balancer that sends each request to the other replica. */
function balanced(): Browser {
  let turn = 0;
  return new Browser({
    get url() {
      return turn++ % 2 === 0 ? one.url : two.url;
    },
  });
}

async function code() {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: OWN_PAGE.client_id,
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid api',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const { email } = await register(one);
  const browser = balanced();
  const page = await browser.open(`/oauth/authorize?${query.toString()}`);
  const back = await browser.submit(page, { email, password: PASSWORD });
  return { verifier, code: back.url.searchParams.get('code') ?? '' };
}

it('a sign-in may be served by another replica at every step', async () => {
  expect((await redeem(two, await code())).status).toBe(200);
});

it('so may the connecting of a device', async () => {
  const form = { client_id: TELEVISION.client_id, scope: 'openid api' };
  const begun = await one.call('POST', '/oauth/device/authorize', { form });
  const device = JSON.parse(begun.text) as { device_code: string; user_code: string };
  const { email } = await register(one);
  const browser = balanced();
  const page = await browser.open(`/oauth/device?user_code=${device.user_code}`);
  const question = await browser.submit(page, { user_code: device.user_code });
  const signIn = await browser.submit(question, { confirm: 'yes' });
  const consent = await browser.submit(signIn, { email, password: PASSWORD });
  const done = await browser.submit(consent, {}, '/consent');
  expect(done.html).toContain('Your device is connected.');
  const tokens = await two.call('POST', '/oauth/token', {
    form: {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      client_id: TELEVISION.client_id,
      device_code: device.device_code,
    },
  });
  expect(tokens.status).toBe(200);
});

it('codes of devices are not guessed for long, by whichever replica', async () => {
  const environment = {
    SIGNET_CLIENTS: JSON.stringify([TELEVISION]),
    SIGNET_DEVICE_CODE_ATTEMPTS: '3',
  };
  const limited = await startAuth({ environment, database: one.database });
  await one.query(`delete from throttles where key like 'user-code%'`);
  const browser = new Browser(limited);
  let page = await browser.open('/oauth/device');
  const statuses: number[] = [];
  for (const guess of ['BBBB-BBBB', 'CCCC-CCCC', 'DDDD-DDDD', 'FFFF-FFFF']) {
    const answer = await browser.submit(page, { user_code: guess });
    statuses.push(answer.status);
    if (answer.status === 200) page = answer;
  }
  expect(statuses).toEqual([200, 200, 200, 429]);
});

it('a code that many redeem at the same time gives tokens once at most, and they end', async () => {
  for (let round = 0; round < 3; round++) {
    const authorized = await code();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, each) => redeem(each % 2 === 0 ? one : two, authorized)),
    );
    const given = answers.filter(({ status }) => status === 200);
    expect(given.length).toBeLessThanOrEqual(1);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    for (const { body } of given) {
      expect(await endingOf(one, body.access_token)).toBe('token_reuse');
    }
  }
});
