import { Controller, Get, Logger, Post } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Authenticated } from '../access/decorators.js';
import { keySource } from '../keys/from-options.js';
import { AuthGuardModule } from '../nest/auth-guard.module.js';
import type { AuthGuardOptions } from '../nest/options.js';
import { createTestIssuer } from '../testing/index.js';
import { TestRevocationFeed } from '../testing/revocation-feed.js';
import { RevocationFollower } from './follower.js';
import { RequireFresh } from './require-fresh.js';

const issuer = createTestIssuer();
const undo: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (let step = undo.pop(); step; step = undo.pop()) await step();
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

async function serveFeed() {
  const feed = new TestRevocationFeed(issuer);
  const url = await feed.serve();
  undo.push(() => feed.close());
  return { feed, url };
}

/** A server of bad manners. */
async function serve(answer: (path: string, response: ServerResponse) => void): Promise<string> {
  const server: Server = createServer((request, response) => answer(request.url ?? '', response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  undo.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/revocations`;
}

function follow(url: string): RevocationFollower {
  const keys = keySource(issuer.keys, issuer.options);
  const follower = new RevocationFollower({ url }, { issuer: issuer.issuer, keys });
  undo.push(() => follower.close());
  return follower;
}

describe('a follower', () => {
  it('knows everything when it has started, and learns the rest as it happens', async () => {
    const { feed, url } = await serveFeed();
    feed.revoke({ sessionId: 'a' });
    const follower = follow(url);
    await follower.start();
    expect(follower.status).toMatchObject({ entries: 1, seq: 1 });
    feed.revoke({ sessionId: 'b' });
    await until(() => follower.status.entries === 2);
    expect(follower.age()).toBeLessThan(10);
  });

  it('starts without a feed, knows that it knows nothing, and finds it later', async () => {
    const { feed, url } = await serveFeed();
    await feed.close();
    const follower = follow(url);
    await follower.start();
    expect(follower.status).toMatchObject({ entries: 0, connected: false, age: Infinity });

    const again = new TestRevocationFeed(issuer);
    again.revoke({});
    await again.serve(Number(new URL(url).port));
    undo.push(() => again.close());
    await until(() => follower.status.connected);
    expect(follower.status).toMatchObject({ entries: 1, seq: 1 });
  });

  it('goes on where it was when the connection breaks, and misses nothing', async () => {
    const { feed, url } = await serveFeed();
    const follower = follow(url);
    await follower.start();
    await until(() => follower.status.connected);
    feed.disconnect();
    feed.revoke({ sessionId: 'while-away' });
    await until(() => follower.status.entries === 1);
    expect(follower.status).toMatchObject({ snapshots: 1, events: 1, connections: 2 });
  });

  it('takes a snapshot again when what it missed is not kept', async () => {
    const feed = new TestRevocationFeed(issuer);
    let gone = true;
    const url = await serve((path, response) => {
      if (path === '/revocations') response.end(feed.snapshot());
      else if (gone) response.writeHead(410).end();
      else response.write(`event: heartbeat\ndata: ${feed.heartbeat()}\n\n`);
      if (path !== '/revocations') gone = false;
    });
    const follower = follow(url);
    await follower.start();
    await until(() => follower.status.connected && follower.status.heartbeats > 0);
    expect(follower.status.snapshots).toBe(2);
  });

  it.each<[string, string]>([
    ['a line without an end', 'data: '.padEnd(100_000, 'x')],
    ['a forged event', 'event: revocation\ndata: a.b.c\n\n'],
    ['a message without a type', 'data: hello\n\n'],
  ])('hangs up on %s, and counts it', async (_what, text) => {
    const feed = new TestRevocationFeed(issuer);
    const url = await serve((path, response) => {
      if (path === '/revocations') response.end(feed.snapshot());
      else response.write(text);
    });
    const follower = follow(url);
    await follower.start();
    await until(() => follower.status.connections > 1);
    expect(follower.status.entries).toBe(0);
    if (!text.startsWith('data: x')) expect(follower.status.refused.malformed).toBeGreaterThan(0);
  });

  it('does not follow a redirect to somebody else', async () => {
    const { url } = await serveFeed();
    const elsewhere = await serve((_path, response) => {
      response.writeHead(302, { location: url }).end();
    });
    const follower = follow(elsewhere);
    await follower.start();
    expect(follower.status.snapshots).toBe(0);
  });

  it.each(['ftp://auth.test/revocations', 'auth', 'https://user:pw@auth.test/revocations'])(
    'does not start with the address %s',
    (url) => {
      const keys = keySource(issuer.keys, issuer.options);
      expect(() => new RevocationFollower({ url }, { issuer: issuer.issuer, keys })).toThrow(
        'revocation.feed.url',
      );
    },
  );
});

@Controller()
@Authenticated()
class MoneyController {
  @Get('balance')
  balance(): string {
    return 'plenty';
  }

  @Post('refund')
  @RequireFresh(1)
  refund(): string {
    return 'refunded';
  }
}

describe('a guard with a feed', () => {
  async function start(
    revocation?: AuthGuardOptions['revocation'],
    options?: Partial<AuthGuardOptions>,
  ) {
    const module = await Test.createTestingModule({
      imports: [
        AuthGuardModule.forRoot({
          ...{ ...issuer.options, ...options },
          ...(revocation && { revocation }),
        }),
      ],
      controllers: [MoneyController],
    }).compile();
    const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), {
      logger: false,
    });
    await app.init();
    undo.push(() => app.close());
    return (method: 'GET' | 'POST', url: string, token: string) =>
      app.inject({ method, url, headers: { authorization: `Bearer ${token}` } });
  }

  it('refuses a token that it had let in before', async () => {
    const { feed, url } = await serveFeed();
    const call = await start({ feed: { url } });
    const token = issuer.token({ sessionId: 'mine' });
    expect((await call('GET', '/balance', token)).statusCode).toBe(200);
    feed.revoke({ sessionId: 'mine' });
    let answer = await call('GET', '/balance', token);
    while (answer.statusCode === 200) {
      await sleep(5);
      answer = await call('GET', '/balance', token);
    }
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([
      401,
      'token_revoked',
    ]);
    const other = issuer.token({ sessionId: 'other' });
    expect((await call('GET', '/balance', other)).statusCode).toBe(200);
  });

  it('asks its owner’s own knowledge as well', async () => {
    const { url } = await serveFeed();
    const call = await start({ feed: { url }, isRevoked: ({ subject }) => subject === 'banned' });
    const answer = await call('GET', '/balance', issuer.token({ subject: 'banned' }));
    expect(answer.json()).toMatchObject({ code: 'token_revoked' });
  });

  it('answers reads and refuses refunds while it cannot know, until it can', async () => {
    const { feed, url } = await serveFeed();
    const call = await start({ feed: { url } });
    const token = issuer.token();
    expect((await call('POST', '/refund', token)).statusCode).toBe(201);

    await feed.close();
    let answer = await call('POST', '/refund', token);
    while (answer.statusCode === 201) {
      await sleep(20);
      answer = await call('POST', '/refund', token);
    }
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('2');
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ code: 'revocation_state_stale', status: 503 });
    expect((await call('GET', '/balance', token)).statusCode).toBe(200);
    expect((await call('POST', '/refund', issuer.token({ lifetime: -9 }))).statusCode).toBe(401);

    const again = new TestRevocationFeed(issuer);
    await again.serve(Number(new URL(url).port));
    undo.push(() => again.close());
    while ((await call('POST', '/refund', token)).statusCode === 503) await sleep(20);
    expect((await call('POST', '/refund', token)).statusCode).toBe(201);
  });

  it('does not start without tolerance for a token that is dated a second ahead', async () => {
    const feed = { url: 'http://127.0.0.1:1/revocations' };
    await expect(start({ feed }, { clockTolerance: 0 })).rejects.toThrow(
      'clockTolerance: expected 1 or more',
    );
  });

  it('asks nothing of routes that want it fresh when there is no feed, and says so at boot', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const call = await start();
    expect((await call('POST', '/refund', issuer.token())).statusCode).toBe(201);
    expect(warn.mock.calls.flat().join()).toContain('MoneyController.refund');
    warn.mockRestore();
  });
});
