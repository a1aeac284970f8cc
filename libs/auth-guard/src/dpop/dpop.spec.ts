import { createHash, generateKeyPairSync } from 'node:crypto';
import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { calculateJwkThumbprint } from 'jose';
import {
  Authenticated,
  AuthGuardModule,
  CurrentUser,
  MemoryReplayStore,
  Public,
  TokenVerifier,
} from '../index.js';
import type { AuthGuardOptions, DpopOptions, Principal } from '../index.js';
import { createDpopKey, createTestIssuer, TestClock } from '../testing/index.js';
import type { DpopProofOptions } from '../testing/index.js';
import { DPOP_ALGORITHMS } from './proof-key.js';

const API = 'https://api.example.com';
const clock = new TestClock();
const issuer = createTestIssuer({ clock });
const key = createDpopKey();
const stranger = createDpopKey();

@Controller('orders')
@Authenticated()
class OrdersController {
  @Get()
  list(@CurrentUser() user: Principal): object {
    return { boundTo: user.boundTo ?? null };
  }

  @Get(':id')
  find(): object {
    return {};
  }

  @Post()
  create(): object {
    return {};
  }
}

@Controller('passport')
@Public()
class PassportController {
  @Get()
  @UseGuards(AuthGuard('jwt'))
  get(): object {
    return {};
  }
}

const apps: INestApplication[] = [];

async function start(
  dpop: Partial<DpopOptions> | 'off' = {},
  adapter: FastifyAdapter | ExpressAdapter = new FastifyAdapter(),
) {
  const settings = dpop === 'off' ? {} : { dpop: { publicUrls: API, ...dpop } };
  const all = { ...issuer.options, clock, ...settings } as AuthGuardOptions;
  const module = await Test.createTestingModule({
    imports: [AuthGuardModule.forRoot(all)],
    controllers: [OrdersController, PassportController],
  }).compile();
  const app = module.createNestApplication(adapter, { logger: false });
  await app.listen(0, '127.0.0.1');
  apps.push(app);
  return app;
}

afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
});

type Overrides = Partial<DpopProofOptions> & { target?: string; headers?: Record<string, string> };

/** Sends a request with a bound token and a proof that is right but for what is said. */
async function send(app: INestApplication, overrides: Overrides = {}): Promise<Response> {
  const { target = '/orders', headers, ...rest } = overrides;
  const method = rest.method ?? 'GET';
  const token = rest.token ?? issuer.token({ boundTo: key });
  const issuedAt = Math.floor(clock.now() / 1000);
  const proof = { url: `${API}${target}`, issuedAt, ...rest, token };
  const sent = { ...key.headers(proof), ...headers };
  return fetch(`${await app.getUrl()}${target}`, {
    method: rest.claims?.htm ? 'GET' : method,
    headers: sent,
  });
}

const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

describe.each([
  ['Fastify', () => new FastifyAdapter()],
  ['Express', () => new ExpressAdapter()],
])('a bound token on %s', (_name, adapter) => {
  let app: INestApplication;

  beforeAll(async () => {
    app = await start({}, adapter());
  });

  it('opens a route together with a proof of its key', async () => {
    const response = await send(app);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ boundTo: key.thumbprint });
    expect((await send(app, { target: '/passport' })).status).toBe(200);
    expect((await send(app, { method: 'POST' })).status).toBe(201);
  });

  it('does not open it as a bearer token, with or without a proof', async () => {
    const token = issuer.token({ boundTo: key });
    const url = `${API}/orders`;
    for (const dpop of [{}, { dpop: key.proof({ url, token }) }]) {
      for (const path of ['/orders', '/passport']) {
        const headers = { authorization: `Bearer ${token}`, ...dpop };
        const response = await fetch(`${await app.getUrl()}${path}`, { headers });
        expect(response.status).toBe(401);
        // Passport renders its refusals itself.
        if (path === '/orders') expect(await codeOf(response)).toBe('token_binding_unproved');
      }
    }
  });

  it('is not given away by the verifier that the module exports', async () => {
    const verify = async () => app.get(TokenVerifier).verify(issuer.token({ boundTo: key }));
    await expect(verify()).rejects.toMatchObject({ code: 'token_binding_unproved' });
  });

  it('leaves bearer tokens as they are', async () => {
    const headers = { authorization: `Bearer ${issuer.token()}` };
    const response = await fetch(`${await app.getUrl()}/orders`, { headers });
    expect(await response.json()).toEqual({ boundTo: null });
  });

  it('is told apart from a token that is not bound, which needs no DPoP', async () => {
    const response = await send(app, { token: issuer.token() });
    expect(response.status).toBe(401);
    expect(await codeOf(response)).toBe('token_not_bound');
  });

  it('opens nothing with the proof of another key', async () => {
    const token = issuer.token({ boundTo: key });
    const headers = stranger.headers({
      url: `${API}/orders`,
      token,
      issuedAt: Math.floor(clock.now() / 1000),
    });
    const response = await fetch(`${await app.getUrl()}/orders`, { headers });
    expect(await codeOf(response)).toBe('token_binding_mismatch');
  });

  it('opens nothing by a proof that was used before', async () => {
    const token = issuer.token({ boundTo: key });
    const issuedAt = Math.floor(clock.now() / 1000);
    const headers = key.headers({ url: `${API}/orders`, token, issuedAt });
    const url = `${await app.getUrl()}/orders`;
    expect((await fetch(url, { headers })).status).toBe(200);
    const again = await fetch(url, { headers });
    expect(again.status).toBe(401);
    expect(again.headers.get('www-authenticate')).toContain('error="invalid_dpop_proof"');
    // Another proof under the same jti is no other proof.
    const { jti } = JSON.parse(
      Buffer.from(headers.dpop.split('.')[1] ?? '', 'base64url').toString(),
    ) as { jti: string };
    expect((await send(app, { token, claims: { jti } })).status).toBe(401);
  });

  it('of many proofs that are one, lets exactly one in', async () => {
    const token = issuer.token({ boundTo: key });
    const issuedAt = Math.floor(clock.now() / 1000);
    const headers = key.headers({ url: `${API}/orders`, token, issuedAt });
    const url = `${await app.getUrl()}/orders`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(url, { headers })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  const now = () => Math.floor(clock.now() / 1000);
  it.each<[string, () => Overrides]>([
    ['no proof', () => ({ headers: { dpop: '' } })],
    ['two proofs', () => ({ headers: { dpop: 'a.b.c, d.e.f' } })],
    ['something else', () => ({ headers: { dpop: 'proof' } })],
    ['typ JWT', () => ({ header: { typ: 'JWT' } })],
    ['typ at+jwt', () => ({ header: { typ: 'at+jwt' } })],
    ['no typ', () => ({ header: { typ: undefined } })],
    ['alg none', () => ({ header: { alg: 'none' } })],
    ['a symmetric alg', () => ({ header: { alg: 'HS256' } })],
    ['an alg that is not the key’s', () => ({ header: { alg: 'RS256' } })],
    ['no key', () => ({ header: { jwk: undefined } })],
    ['a private key', () => ({ header: { jwk: { ...key.jwk, d: 'AA' } } })],
    ['a symmetric key', () => ({ header: { jwk: { kty: 'oct', k: 'AA' } } })],
    [
      'a key that is no point of the curve',
      () => ({ header: { jwk: { ...key.jwk, y: key.jwk.x } } }),
    ],
    ['a key of another curve', () => ({ header: { jwk: createDpopKey('ES384').jwk } })],
    ['somebody else’s key', () => ({ header: { jwk: stranger.jwk } })],
    ['crit', () => ({ header: { crit: ['exp'] } })],
    ['no jti', () => ({ claims: { jti: undefined } })],
    ['a jti that is no text', () => ({ claims: { jti: 7 } })],
    ['a jti without end', () => ({ claims: { jti: 'j'.repeat(300) } })],
    ['another method', () => ({ claims: { htm: 'POST' } })],
    ['the method in small letters', () => ({ claims: { htm: 'get' } })],
    ['no method', () => ({ claims: { htm: undefined } })],
    ['another host', () => ({ url: 'https://evil.example.com/orders' })],
    ['another scheme', () => ({ url: 'http://api.example.com/orders' })],
    ['another port', () => ({ url: 'https://api.example.com:8443/orders' })],
    ['another path', () => ({ url: `${API}/orders/1` })],
    ['a path alone', () => ({ url: '/orders' })],
    ['credentials in the address', () => ({ url: 'https://a:b@api.example.com/orders' })],
    ['no address', () => ({ claims: { htu: undefined } })],
    [
      'the address that Host names',
      () => ({
        url: 'https://evil.example.com/orders',
        headers: {
          host: 'evil.example.com',
          'x-forwarded-host': 'evil.example.com',
          'x-forwarded-proto': 'https',
        },
      }),
    ],
    ['an old iat', () => ({ issuedAt: now() - 60 })],
    ['a future iat', () => ({ issuedAt: now() + 7 })],
    ['no iat', () => ({ claims: { iat: undefined } })],
    ['an iat that is no number', () => ({ claims: { iat: String(now()) } })],
    ['no ath', () => ({ claims: { ath: undefined } })],
    [
      'the ath of another token',
      () => ({ claims: { ath: createHash('sha256').update('x').digest('base64url') } }),
    ],
    [
      'the ath with padding',
      () => ({ claims: { ath: createHash('sha256').update('x').digest('base64') } }),
    ],
  ])('opens nothing when the proof has %s', async (_what, overrides) => {
    const response = await send(app, overrides());
    expect(response.status).toBe(401);
    const challenge = response.headers.get('www-authenticate') ?? '';
    expect(challenge).toMatch(/^Bearer realm="urn:test:api", DPoP .*error="invalid_dpop_proof"/);
    expect(await codeOf(response)).toBe('dpop_proof_invalid');
  });

  it.each(DPOP_ALGORITHMS)('accepts proofs by %s, whose thumbprint is RFC 7638’s', async (alg) => {
    const other = createDpopKey(alg);
    expect(other.thumbprint).toBe(await calculateJwkThumbprint(other.jwk as never));
    const token = issuer.token({ boundTo: other });
    const headers = other.headers({ url: `${API}/orders`, token, issuedAt: now() });
    expect((await fetch(`${await app.getUrl()}/orders`, { headers })).status).toBe(200);
  });

  it.each([
    ['/orders?limit=10', `${API}/orders`],
    ['/orders?limit=10', `${API}/orders?limit=10#x`],
    ['/orders/%7Ejane', 'HTTPS://API.EXAMPLE.COM:443/orders/~jane'],
    ['/orders/a%2fb', `${API}/orders/a%2Fb`],
    ['/orders/a', `${API}/x/../orders/./a`],
  ])('knows %s as %s', async (target, htu) => {
    expect((await send(app, { target, claims: { htu } })).status).toBe(200);
  });

  it('tells an encoded slash from a slash', async () => {
    expect((await send(app, { target: '/orders/a%2Fb', url: `${API}/orders/a/b` })).status).toBe(
      401,
    );
  });
});

describe('the challenge where both kinds of tokens are served', () => {
  it('offers both schemes, and blames the one that was used', async () => {
    const app = await start();
    const none = await fetch(`${await app.getUrl()}/orders`);
    expect(none.headers.get('www-authenticate')).toBe(
      'Bearer realm="urn:test:api", DPoP realm="urn:test:api",' +
        ' algs="ES256 ES384 EdDSA Ed25519 PS256 RS256"',
    );
    const headers = { authorization: `Bearer ${issuer.token({ boundTo: key })}` };
    const bearer = await fetch(`${await app.getUrl()}/orders`, { headers });
    expect(bearer.headers.get('www-authenticate')).toMatch(
      /^Bearer realm="urn:test:api", error="invalid_token", error_description="[^"]+", DPoP realm/,
    );
  });

  it('offers DPoP alone where tokens must be bound', async () => {
    const app = await start({ required: true, algorithms: ['ES256'] });
    const headers = { authorization: `Bearer ${issuer.token()}` };
    const response = await fetch(`${await app.getUrl()}/orders`, { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(
      /^DPoP realm="urn:test:api", algs="ES256", error="invalid_token"/,
    );
    expect((await send(app)).status).toBe(200);
  });
});

describe('a service that was not told of DPoP', () => {
  it('refuses bound tokens under either scheme', async () => {
    const app = await start('off');
    const bound = await send(app);
    expect(bound.status).toBe(401);
    expect(bound.headers.get('www-authenticate')).toMatch(/^Bearer [^,]*, error="invalid_token"/);
    const headers = { authorization: `Bearer ${issuer.token({ boundTo: key })}` };
    const response = await fetch(`${await app.getUrl()}/orders`, { headers });
    expect(await codeOf(response)).toBe('token_binding_unsupported');
  });
});

describe('a token that is bound in another way', () => {
  it.each([
    ['to a certificate', { 'x5t#S256': 'A'.repeat(43) }],
    ['to a key and a certificate', { jkt: key.thumbprint, 'x5t#S256': 'A'.repeat(43) }],
    ['to a key itself', { jwk: key.jwk }],
    ['to nothing', {}],
    ['to null', null],
    ['to a thumbprint that is none', { jkt: 'x' }],
    ['to a list', [key.thumbprint]],
  ])('is refused: %s', async (_what, cnf) => {
    const app = apps[0] ?? (await start());
    for (const scheme of ['Bearer', 'DPoP']) {
      const token = issuer.token({ claims: { cnf } });
      const response = await send(app, { token, headers: { authorization: `${scheme} ${token}` } });
      expect(response.status).toBe(401);
      expect(await codeOf(response)).toBe('token_binding_unsupported');
    }
  });
});

describe('a service behind a path of its own', () => {
  it('takes proofs for the address that clients use', async () => {
    const app = await start({ publicUrls: [`${API}/shop/`, 'http://orders.internal:8080'] });
    expect((await send(app, { url: `${API}/shop/orders` })).status).toBe(200);
    expect((await send(app, { url: 'http://orders.internal:8080/orders' })).status).toBe(200);
    expect((await send(app, { url: `${API}/orders` })).status).toBe(401);
    expect((await send(app, { url: `${API}/shop//orders` })).status).toBe(401);
  });
});

describe('a nonce', () => {
  const secret = 'a secret that all replicas of the service share';

  it('is asked for, given, accepted, renewed and in the end refused', async () => {
    const app = await start({ nonce: { secret, lifetime: 60 } });
    const asked = await send(app);
    expect(asked.status).toBe(401);
    expect(asked.headers.get('www-authenticate')).toContain('error="use_dpop_nonce"');
    expect(asked.headers.get('cache-control')).toBe('no-store');
    const nonce = asked.headers.get('dpop-nonce') ?? '';
    const first = await send(app, { nonce });
    expect(first.status).toBe(200);
    expect(first.headers.get('dpop-nonce')).toBeNull();
    clock.advance(60);
    const second = await send(app, { nonce });
    expect(second.status).toBe(200);
    const renewed = second.headers.get('dpop-nonce') ?? '';
    expect(renewed).not.toBe('');
    clock.advance(60);
    const late = await send(app, { nonce });
    expect(await codeOf(late)).toBe('dpop_nonce_required');
    expect((await send(app, { nonce: renewed })).status).toBe(200);
  });

  it('of one replica is good at another', async () => {
    const [one, other] = [await start({ nonce: { secret } }), await start({ nonce: { secret } })];
    const nonce = (await send(one)).headers.get('dpop-nonce') ?? '';
    expect((await send(other, { nonce })).status).toBe(200);
  });

  it('that somebody made up is not good', async () => {
    const app = await start({ nonce: true });
    const foreign = (await send(await start({ nonce: true }))).headers.get('dpop-nonce') ?? '';
    for (const nonce of ['', 'x', foreign, `${foreign}x`]) {
      expect(await codeOf(await send(app, { nonce }))).toBe('dpop_nonce_required');
    }
  });

  it('does not use up the proof that lacked it', async () => {
    const remembered: string[] = [];
    const replayStore = { remember: (id: string) => remembered.push(id) > 0 };
    const app = await start({ nonce: true, replayStore });
    await send(app);
    expect(remembered).toEqual([]);
  });
});

describe('the store of used proofs', () => {
  it('that cannot be asked is 503, never "it must be new"', async () => {
    const app = await start({ replayStore: { remember: () => Promise.reject(new Error('down')) } });
    const response = await send(app);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await codeOf(response)).toBe('dpop_replay_unknown');
  });

  it('is bounded, and full refuses rather than forgets', async () => {
    const replayStore = new MemoryReplayStore(() => clock.now() / 1000, 3);
    const app = await start({ replayStore });
    const answers = [await send(app), await send(app), await send(app), await send(app)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 503]);
    expect(replayStore.size).toBe(3);
    clock.advance(61);
    expect((await send(app)).status).toBe(200);
    expect(replayStore.size).toBe(1);
  });

  it('is asked for good proofs of good tokens alone, so that nobody else can fill it', async () => {
    const replayStore = new MemoryReplayStore(() => clock.now() / 1000);
    const app = await start({ replayStore });
    await send(app, { token: issuer.badTokens().expired });
    await send(app, { claims: { htm: 'POST' } });
    await send(app, { token: issuer.token({ boundTo: stranger }) });
    expect(replayStore.size).toBe(0);
  });
});

describe('the options', () => {
  it.each<[string, Partial<DpopOptions>]>([
    ['no address', { publicUrls: [] }],
    ['an address that is none', { publicUrls: 'api.example.com' }],
    ['an address with a query', { publicUrls: `${API}?x` }],
    ['a symmetric algorithm', { algorithms: ['HS256' as never] }],
    ['no algorithm', { algorithms: [] }],
    ['proofs that live for an hour', { proofLifetime: 3600 }],
    ['a short secret', { nonce: { secret: 'short' } }],
  ])('refuse %s at boot', async (_what, dpop) => {
    await expect(start(dpop)).rejects.toThrow(/^dpop\./);
  });

  it('refuse RSA keys that are too short for proofs', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const app = await start();
    const response = await send(app, {
      header: { alg: 'RS256', jwk: publicKey.export({ format: 'jwk' }) },
    });
    expect(await codeOf(response)).toBe('dpop_proof_invalid');
  });
});
