import { OWN_PAGE, basic, redeem, signedIn, WATCHER } from '../testing/applications.js';
import { endingOf, register, startAuth, verify } from '../testing/running-auth.js';
import type { Answer, RunningAuth } from '../testing/running-auth.js';

let auth: RunningAuth;

beforeAll(async () => {
  const SIGNET_CLIENTS = JSON.stringify([OWN_PAGE, WATCHER]);
  auth = await startAuth({ environment: { SIGNET_CLIENTS } });
});

function introspect(token: string, headers: Record<string, string> = basic(WATCHER)) {
  return auth.call('POST', '/oauth/introspect', { form: { token }, headers });
}

function revoke(token: string, client_id: string = OWN_PAGE.client_id): Promise<Answer> {
  return auth.call('POST', '/oauth/revoke', { form: { token, client_id } });
}

describe('introspection of an access token', () => {
  it('says what the token says, as long as it is so', async () => {
    const { access_token: token } = await register(auth);
    const { payload } = await verify(auth, token);
    expect((await introspect(token)).body).toEqual({
      active: true,
      token_type: 'Bearer',
      ...payload,
    });
    await auth.query(`update users set roles = '{support}' where id = $1`, [payload.sub]);
    expect((await introspect(token)).body).toEqual({ active: false });
  });

  it('is over with the session', async () => {
    const { access_token: token } = await register(auth);
    await auth.call('POST', '/auth/logout', { token });
    expect((await introspect(token)).body).toEqual({ active: false });
  });

  it('is told to clients that prove who they are', async () => {
    const { access_token: token } = await register(auth);
    const wrong = basic({ ...WATCHER, client_secret: 'x'.repeat(40) });
    expect((await introspect(token, wrong)).status).toBe(401);
    const form = { token, client_id: 'first-party' };
    const answer = await auth.call('POST', '/oauth/introspect', { form });
    expect(answer.body).toEqual({ active: false });
  });

  it.each(['x', 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.', ''])('of %j tells nothing', async (token) => {
    const { status, body } = await introspect(token);
    expect([200, 400]).toContain(status);
    expect(body).not.toMatchObject({ active: true });
  });
});

describe('revocation', () => {
  it.each(['access_token', 'refresh_token'] as const)('of the %s ends the login', async (kind) => {
    const { body } = await redeem(auth, await signedIn(auth));
    expect((await revoke(body[kind])).status).toBe(200);
    expect(await endingOf(auth, body.access_token)).toBe('revoked');
    const form = {
      grant_type: 'refresh_token',
      client_id: OWN_PAGE.client_id,
      refresh_token: body.refresh_token,
    };
    expect((await auth.call('POST', '/oauth/token', { form })).status).toBe(400);
  });

  it('by a client that the token was not given to changes nothing', async () => {
    const { body } = await redeem(auth, await signedIn(auth));
    for (const token of [body.access_token, body.refresh_token]) await revoke(token, 'first-party');
    expect(await endingOf(auth, body.access_token)).toBeNull();
  });

  it('of what is no token is not an error', async () => {
    expect((await revoke('no-token-at-all')).status).toBe(200);
  });
});

describe('a page on another origin', () => {
  it('may ask for tokens if its client can be called back there', async () => {
    const ours = await redeem(auth, await signedIn(auth), { origin: 'https://shop.example' });
    expect(ours.status).toBe(200);
    expect(ours.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(ours.headers.get('access-control-allow-credentials')).toBeNull();
    const evil = await redeem(auth, await signedIn(auth), { origin: 'https://evil.example' });
    expect(evil.status).toBe(400);
    expect(evil.headers.get('access-control-allow-origin')).toBeNull();
  });
});
