import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Browser } from '../testing/browser.js';
import { ISSUER, PASSWORD, register, startAuth, verify } from '../testing/running-auth.js';
import type { Answer, RunningAuth, Tokens } from '../testing/running-auth.js';

const CALLBACK = 'https://shop.example/callback';
const WEB_SECRET = 'secret-of-the-web-application-in-tests';

const APPLICATION = {
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: [CALLBACK],
  first_party: true,
  audiences: { 'urn:signet:api': ['api'] },
};

const CLIENTS = [
  {
    ...APPLICATION,
    client_id: 'phone',
    client_name: 'Phone',
    token_endpoint_auth_method: 'none',
  },
  { ...APPLICATION, client_id: 'web', client_name: 'Web', client_secret: WEB_SECRET },
];

/** Without grace, so that whatever uses a token up shows. */
let strict: RunningAuth;
let auth: RunningAuth;

beforeAll(async () => {
  const environment = { SIGNET_CLIENTS: JSON.stringify(CLIENTS) };
  auth = await startAuth({ environment });
  strict = await startAuth({ environment: { ...environment, SIGNET_REFRESH_GRACE_SECONDS: '0' } });
});

type Send = (form: Record<string, string>) => Promise<Answer>;

/** Signs someone new in, and exchanges the code by `send`. */
async function signIn(on: RunningAuth, clientId: string, send: Send): Promise<Tokens> {
  const { email } = await register(on);
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid api',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const browser = new Browser(on);
  const page = await browser.open(`/oauth/authorize?${query.toString()}`);
  const { url } = await browser.submit(page, { email, password: PASSWORD });
  const { status, body } = await send({
    grant_type: 'authorization_code',
    code: url.searchParams.get('code') ?? '',
    redirect_uri: CALLBACK,
    code_verifier: verifier,
  });
  expect(status).toBe(200);
  return body;
}

/** An application on a phone, whose tokens are bound to a key that does not leave it (RFC 9449). */
class Phone {
  private constructor(
    private readonly on: RunningAuth,
    private readonly keys: Awaited<ReturnType<typeof generateKeyPair>>,
  ) {}

  static async on(service: RunningAuth): Promise<Phone> {
    return new Phone(service, await generateKeyPair('ES256'));
  }

  signIn(): Promise<Tokens> {
    return signIn(this.on, 'phone', (form) => this.send(form));
  }

  refresh({ refresh_token }: Tokens): Promise<Answer> {
    return this.send({ grant_type: 'refresh_token', refresh_token });
  }

  /** Asks without a nonce, is given one, and asks again. */
  async send(form: Record<string, string>): Promise<Answer> {
    const challenge = await this.sendOnce(form);
    expect(challenge).toMatchObject({ status: 400, body: { error: 'use_dpop_nonce' } });
    return this.sendOnce(form, challenge.headers.get('dpop-nonce') ?? '');
  }

  async sendOnce(form: Record<string, string>, nonce?: string): Promise<Answer> {
    const proof = await new SignJWT({
      htm: 'POST',
      htu: `${ISSUER}/oauth/token`,
      jti: randomUUID(),
      ...(nonce !== undefined && { nonce }),
    })
      .setProtectedHeader({
        alg: 'ES256',
        typ: 'dpop+jwt',
        jwk: await exportJWK(this.keys.publicKey),
      })
      .setIssuedAt()
      .sign(this.keys.privateKey);
    return tokenEndpoint(this.on, { client_id: 'phone', ...form }, { dpop: proof });
  }
}

function tokenEndpoint(
  on: RunningAuth,
  form: Record<string, string>,
  headers: Record<string, string>,
): Promise<Answer> {
  return on.call('POST', '/oauth/token', { form, headers });
}

describe('a refresh token that is bound to a key', () => {
  it('is not used up by the demand for a nonce', async () => {
    const phone = await Phone.on(strict);
    let tokens = await phone.signIn();
    for (let turn = 0; turn < 3; turn++) {
      const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token };
      expect((await phone.sendOnce(form)).body.error).toBe('use_dpop_nonce');
      expect((await phone.sendOnce(form, 'made-up')).status).toBe(400);
      const { status, body } = await phone.refresh(tokens);
      expect(status).toBe(200);
      tokens = body;
    }
  });

  it('is worth nothing to who has another key or none, and does not end for it', async () => {
    const phone = await Phone.on(strict);
    const thief = await Phone.on(strict);
    const tokens = await phone.signIn();
    const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token };
    expect((await thief.refresh(tokens)).status).toBe(400);
    expect((await tokenEndpoint(strict, { client_id: 'phone', ...form }, {})).status).toBe(400);
    expect((await phone.refresh(tokens)).status).toBe(200);
  });

  it('gives its successor again to who has the key, and to nobody else', async () => {
    const phone = await Phone.on(auth);
    const thief = await Phone.on(auth);
    const first = await phone.signIn();
    const second = (await phone.refresh(first)).body;
    const refused = await thief.refresh(first);
    expect(refused.status).toBe(400);
    expect(refused.text).not.toContain(second.refresh_token);
    expect((await phone.refresh(first)).body.refresh_token).toBe(second.refresh_token);
    expect((await phone.refresh(second)).status).toBe(200);
  });
});

describe('the refresh token of a client with a secret', () => {
  const headers = {
    authorization: `Basic ${Buffer.from(`web:${WEB_SECRET}`).toString('base64')}`,
  };
  const send = (form: Record<string, string>) => tokenEndpoint(strict, form, headers);

  it('stays the same, however often and at the same time it is used', async () => {
    const { refresh_token } = await signIn(strict, 'web', send);
    const form = { grant_type: 'refresh_token', refresh_token };
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(form)));
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(body.refresh_token).toBe(refresh_token);
    }
    const kept = await strict.query<{ days: number }>(
      `select round(extract(epoch from max(expires_at) - now()) / 86400)::int as days
       from engine_records where model = 'RefreshToken' and payload->>'clientId' = 'web'`,
    );
    expect(kept).toEqual([{ days: 90 }]);
  });

  it('is over when the session was not used for too long, or has ended', async () => {
    const tokens = await signIn(strict, 'web', send);
    const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token };
    const { sid } = (await verify(strict, tokens.access_token)).payload;
    await strict.query(
      `update sessions set expires_at = now() - interval '1 second' where sid = $1`,
      [sid],
    );
    expect(await send(form)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  it('is worth nothing without the secret', async () => {
    const { refresh_token } = await signIn(strict, 'web', send);
    const form = { grant_type: 'refresh_token', client_id: 'web', refresh_token };
    expect((await tokenEndpoint(strict, form, {})).status).toBe(401);
    expect((await send({ grant_type: 'refresh_token', refresh_token })).status).toBe(200);
  });
});
