import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createHash, randomUUID } from 'node:crypto';
import { OWN_PAGE, basic, redeem, signedIn, WATCHER } from '../testing/applications.js';
import { ISSUER, startAuth, verify } from '../testing/running-auth.js';
import type { Answer, RunningAuth } from '../testing/running-auth.js';

let auth: RunningAuth;

beforeAll(async () => {
  const SIGNET_CLIENTS = JSON.stringify([OWN_PAGE, WATCHER]);
  auth = await startAuth({ environment: { SIGNET_CLIENTS } });
});

type Proof = (claims?: Record<string, unknown>) => Promise<{ dpop: string }>;

/** Makes proofs with a key of its own (RFC 9449 section 4.2). */
async function prover(): Promise<{ proof: Proof; thumbprint: string }> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  const proof: Proof = async (claims = {}) => ({
    dpop: await new SignJWT({
      jti: randomUUID(),
      htm: 'POST',
      htu: `${ISSUER}/oauth/token`,
      ...claims,
    })
      .setIssuedAt()
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
      .sign(privateKey),
  });
  return { proof, thumbprint: await calculateJwkThumbprint(jwk) };
}

function nonceOf({ status, headers, body }: Answer): { nonce: string } {
  expect({ status, error: body.error }).toEqual({ status: 400, error: 'use_dpop_nonce' });
  return { nonce: headers.get('dpop-nonce') ?? '' };
}

function refreshed(refresh_token: string, headers: Record<string, string>): Promise<Answer> {
  const form = { grant_type: 'refresh_token', client_id: OWN_PAGE.client_id, refresh_token };
  return auth.call('POST', '/oauth/token', { form, headers });
}

it('a challenge for a nonce costs neither the code nor the refresh token', async () => {
  const { proof, thumbprint } = await prover();
  const login = await signedIn(auth);
  const nonce = nonceOf(await redeem(auth, login, await proof()));
  const { body } = await redeem(auth, login, await proof(nonce));
  expect(body).toMatchObject({ token_type: 'DPoP' });
  const { payload } = await verify(auth, body.access_token);
  expect(payload.cnf).toEqual({ jkt: thumbprint });
  nonceOf(await refreshed(body.refresh_token, await proof()));
  const next = await refreshed(body.refresh_token, await proof(nonce));
  expect(next).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
});

it('a refresh token that is bound to a key is refused with another, and goes on', async () => {
  const { proof } = await prover();
  const { proof: another } = await prover();
  const login = await signedIn(auth);
  const nonce = nonceOf(await redeem(auth, login, await proof()));
  const { body } = await redeem(auth, login, await proof(nonce));
  expect((await refreshed(body.refresh_token, await another(nonce))).status).toBe(400);
  expect((await refreshed(body.refresh_token, {})).status).toBe(400);
  expect((await refreshed(body.refresh_token, await proof(nonce))).status).toBe(200);
});

it('who the user is, is told for a bound token with a proof, once', async () => {
  const { proof } = await prover();
  const login = await signedIn(auth);
  const nonce = nonceOf(await redeem(auth, login, await proof()));
  const { access_token: token } = (await redeem(auth, login, await proof(nonce))).body;
  const ask = (authorization: string, headers: { dpop?: string } = {}) =>
    auth.call('GET', '/oauth/userinfo', { headers: { authorization, ...headers } });
  const claims = {
    htm: 'GET',
    htu: `${ISSUER}/oauth/userinfo`,
    ath: createHash('sha256').update(token).digest('base64url'),
  };
  const good = await proof(claims);
  expect((await ask(`DPoP ${token}`, good)).status).toBe(200);
  expect((await ask(`DPoP ${token}`, good)).status).toBe(401);
  expect((await ask(`Bearer ${token}`)).status).toBe(401);
  expect((await ask(`DPoP ${token}`, await proof({ ...claims, ath: 'x' }))).status).toBe(401);
  const { proof: another } = await prover();
  expect((await ask(`DPoP ${token}`, await another(claims))).status).toBe(401);
});

it('a proof is good once, however many come at the same time', async () => {
  const { proof } = await prover();
  const form = {
    grant_type: 'client_credentials',
    resource: 'urn:signet:payments',
    scope: 'payments:charge',
  };
  const ask = (headers: { dpop: string }) =>
    auth.call('POST', '/oauth/token', { form, headers: { ...headers, ...basic(WATCHER) } });
  const nonce = nonceOf(await ask(await proof()));
  const once = await proof(nonce);
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask(once)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 400)).toHaveLength(7);
});

it.each([
  ['another method', { htm: 'GET' }],
  ['another address', { htu: `${ISSUER}/oauth/par` }],
  ['another server', { htu: 'https://evil.example/oauth/token' }],
  ['a nonce that was made up', { nonce: 'made-up' }],
])('a proof for %s is refused', async (_what, claims) => {
  const { proof } = await prover();
  const login = await signedIn(auth);
  const nonce = nonceOf(await redeem(auth, login, await proof()));
  const { status, body } = await redeem(auth, login, await proof({ ...nonce, ...claims }));
  expect(status).toBe(400);
  expect(['invalid_dpop_proof', 'use_dpop_nonce']).toContain(body.error);
});
