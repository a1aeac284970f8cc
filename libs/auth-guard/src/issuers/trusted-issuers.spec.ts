import { Controller, Get, Logger } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Authenticated,
  AuthGuardModule,
  CurrentUser,
  GuardMetrics,
  RequireFresh,
  Roles,
  TokenVerifier,
} from '../index.js';
import type { AuthGuardOptions, Principal } from '../index.js';
import { createTestIssuer, TestRevocationFeed } from '../testing/index.js';

const ours = createTestIssuer({ issuer: 'https://ours.example' });
const partner = createTestIssuer({
  issuer: 'https://partner.example',
  audience: 'urn:partner:api',
});
// Keys of its own; the first two pairs of a process are shared by all test issuers.
partner.rotate();
partner.withdraw(ours.keyPair);

@Controller()
@Authenticated()
class WhoController {
  @Get()
  who(@CurrentUser() { issuer, subject }: Principal): object {
    return { issuer, subject };
  }

  @Get('fresh')
  @RequireFresh()
  fresh(): object {
    return {};
  }

  @Get('admin')
  @Roles('admin')
  admin(): object {
    return {};
  }
}

async function start(options: Partial<AuthGuardOptions> = {}): Promise<INestApplication> {
  Logger.overrideLogger(false);
  const module = await Test.createTestingModule({
    imports: [
      AuthGuardModule.forRoot({ ...ours.options, otherIssuers: [partner.options], ...options }),
    ],
    controllers: [WhoController],
  }).compile();
  const app = module.createNestApplication(new FastifyAdapter(), {
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  return app;
}

async function call(app: INestApplication, token: string, path = '') {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${await app.getUrl()}/${path}`, { headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('several issuers', () => {
  let app: INestApplication;
  beforeAll(async () => (app = await start()));
  afterAll(() => app.close());

  it('are each believed, and told apart', async () => {
    expect((await call(app, ours.token())).body).toEqual({
      issuer: 'https://ours.example',
      subject: 'user-1',
    });
    expect((await call(app, partner.token())).body).toEqual({
      issuer: 'https://partner.example',
      subject: 'user-1',
    });
    const { issuer } = await app.get(TokenVerifier).verify(partner.token());
    expect(issuer).toBe('https://partner.example');
  });

  it.each([
    ['an issuer that is not on the list', { iss: 'https://third.example' }, 'token_issuer_invalid'],
    ['a name that is no text', { iss: ['https://ours.example'] }, 'token_issuer_invalid'],
    ['no issuer', { iss: undefined }, 'token_issuer_invalid'],
    [
      'the name of the other, under its own key',
      { iss: 'https://ours.example' },
      'token_key_unknown',
    ],
    ["the other's audience", { aud: 'urn:test:api' }, 'token_audience_invalid'],
  ])('refuse a token with %s', async (_what, claims, code) => {
    expect((await call(app, partner.token({ claims }))).body).toMatchObject({ status: 401, code });
  });

  it("refuse a token that names the other's key", async () => {
    const { kid } = ours.keyPair;
    const token = partner.token({ claims: { iss: 'https://ours.example' }, header: { kid } });
    expect((await call(app, token)).body).toMatchObject({ code: 'token_signature_invalid' });
  });

  it.each(Object.keys(partner.badTokens()))('refuse the bad token "%s" of each', async (kind) => {
    for (const issuer of [ours, partner]) {
      expect((await call(app, issuer.badTokens()[kind as 'expired'])).status).toBe(401);
    }
  });

  it('apply to each its own terms', async () => {
    const strict = { ...partner.options, maxTokenLifetime: 60 };
    const other = await start({ otherIssuers: [strict] });
    expect((await call(other, partner.token())).body).toMatchObject({
      code: 'token_lifetime_invalid',
    });
    expect((await call(other, ours.token())).status).toBe(200);
    await other.close();
  });

  it('do not bring each other down: without the keys of one, the others go on', async () => {
    const server = await partner.serve();
    server.answerWith((response) => response.destroy());
    const keys = { jwksUri: server.jwksUri };
    const other = await start({ otherIssuers: [{ ...partner.options, keys }] });
    expect((await call(other, ours.token())).status).toBe(200);
    expect((await call(other, partner.token())).body).toMatchObject({ code: 'keys_unavailable' });
    await other.close();
    await server.close();
  });

  it('take back their own tokens alone, each by its own feed', async () => {
    const feeds = [new TestRevocationFeed(ours), new TestRevocationFeed(partner)] as const;
    const [ourUrl, theirUrl] = await Promise.all(feeds.map((feed) => feed.serve()));
    const other = await start({
      revocation: { feed: { url: ourUrl ?? '' } },
      otherIssuers: [{ ...partner.options, revocation: { feed: { url: theirUrl ?? '' } } }],
    });
    const sessionId = 'the-same-in-both';
    feeds[1].revoke({ sessionId });
    const answer = async () => (await call(other, partner.token({ sessionId }))).body;
    while ((await answer()).code !== 'token_revoked') await sleep(5);
    expect((await call(other, ours.token({ sessionId }))).status).toBe(200);
    expect((await call(other, partner.token({ sessionId: 'another' }))).status).toBe(200);
    const { issuers } = other.get(GuardMetrics).read();
    expect(issuers.map(({ revocation }) => revocation?.entries)).toEqual([0, 1]);
    await other.close();
    await Promise.all(feeds.map((feed) => feed.close()));
  });

  it('need not be fresh together: whose feed is silent, closes its own tokens’ way alone', async () => {
    const feed = new TestRevocationFeed(ours);
    const other = await start({
      revocation: { feed: { url: await feed.serve() } },
      otherIssuers: [
        { ...partner.options, revocation: { feed: { url: 'http://127.0.0.1:1/revocations' } } },
      ],
    });
    expect((await call(other, ours.token(), 'fresh')).status).toBe(200);
    expect((await call(other, partner.token(), 'fresh')).body).toMatchObject({
      code: 'revocation_state_stale',
    });
    expect((await call(other, partner.token())).status).toBe(200);
    await other.close();
    await feed.close();
  });

  it('open nothing that wants fresh knowledge where one has no feed, which is said at boot', async () => {
    const feed = new TestRevocationFeed(ours);
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const other = await start({ revocation: { feed: { url: await feed.serve() } } });
    expect(warn.mock.calls.flat().join()).toMatch(
      /https:\/\/partner\.example.*WhoController\.fresh/,
    );
    warn.mockRestore();
    expect((await call(other, ours.token(), 'fresh')).status).toBe(200);
    expect((await call(other, partner.token(), 'fresh')).body).toMatchObject({
      code: 'revocation_state_stale',
    });
    expect((await call(other, partner.token())).status).toBe(200);
    await other.close();
    await feed.close();
  });

  it('open it when it is said that nothing has to be known of theirs', async () => {
    const feed = new TestRevocationFeed(ours);
    const other = await start({
      revocation: { feed: { url: await feed.serve() } },
      otherIssuers: [{ ...partner.options, revocation: { age: () => 0 } }],
    });
    expect((await call(other, partner.token(), 'fresh')).status).toBe(200);
    await other.close();
    await feed.close();
  });

  it('must have different names', async () => {
    await expect(start({ otherIssuers: [ours.options] })).rejects.toThrow('each issuer once');
  });
});
