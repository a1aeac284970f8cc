import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { OWN_PAGE, redeem, signedIn } from '../testing/applications.js';
import { startAuth } from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';

let auth: RunningAuth;
let token: string;

beforeAll(async () => {
  auth = await startAuth({ environment: { SIGNET_CLIENTS: JSON.stringify([OWN_PAGE]) } });
  token = (await redeem(auth, await signedIn(auth))).body.access_token;
});

/** @param authorization as many header fields */
async function ask(...authorization: string[]): Promise<IncomingMessage> {
  const asked = request(`${auth.url}/oauth/userinfo`, {
    headers: [
      'host',
      'auth.example',
      ...authorization.flatMap((value) => ['authorization', value]),
    ],
  });
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  return answer;
}

describe('who the user is', () => {
  it('is told to one token, however the word before it is written', async () => {
    expect((await ask(`Bearer ${token}`)).statusCode).toBe(200);
    expect((await ask(`bearer  ${token}`)).statusCode).toBe(200);
  });

  it('is not told to two, since a proxy may have looked at the other', async () => {
    const good = `Bearer ${token}`;
    for (const answer of [
      await ask(good, good),
      await ask(good, 'Basic x'),
      await ask(`${good}, ${good}`),
    ]) {
      expect(answer.statusCode).toBe(400);
      expect(answer.headers['www-authenticate']).toContain('error="invalid_request"');
    }
    const form = { access_token: token };
    const byForm = await auth.call('POST', '/oauth/userinfo', { form, token });
    expect(byForm).toMatchObject({ status: 400, body: { code: 'request_ambiguous' } });
  });

  it.each([[], ['Basic x'], ['Bearer'], [`Digest ${'x'.repeat(8)}`]])(
    'is not told without one: %j',
    async (...headers) => {
      const answer = await ask(...headers);
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['www-authenticate']).not.toContain('error=');
    },
  );
});
