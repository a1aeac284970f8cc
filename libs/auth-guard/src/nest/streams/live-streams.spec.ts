import { Controller, Get, Res, Sse } from '@nestjs/common';
import type { INestApplication, MessageEvent } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { finalize, NEVER, startWith } from 'rxjs';
import type { Observable } from 'rxjs';
import { WebSocket } from 'ws';
import {
  Authenticated,
  AuthGuardModule,
  CurrentUser,
  guardSockets,
  LiveConnections,
  LiveStreams,
  TokenVerifier,
} from '../../index.js';
import type { AuthGuardOptions, Principal } from '../../index.js';
import { createTestIssuer, TestClock, TestRevocationFeed } from '../../testing/index.js';
import type { JwksServer } from '../../testing/index.js';

const issuer = createTestIssuer();
const feed = new TestRevocationFeed(issuer);
let url: string;

@Controller()
@Authenticated()
class EventsController {
  static ended = 0;
  static reasons: unknown[] = [];

  constructor(private readonly streams: LiveStreams) {}

  @Sse('events')
  events(): Observable<MessageEvent> {
    return NEVER.pipe(
      startWith({ data: 'first' }),
      finalize(() => (EventsController.ended += 1)),
    );
  }

  /** Whatever else goes on for long, written by hand. */
  @Get('lines')
  lines(
    @CurrentUser() user: Principal,
    @Res() response: ServerResponse | { raw: ServerResponse },
  ): void {
    const raw = 'raw' in response ? response.raw : response;
    const over = this.streams.untilOver(user, response);
    raw.writeHead(200).write('first\n');
    over.addEventListener('abort', () => {
      EventsController.reasons.push((over.reason as { code: string }).code);
      raw.end('over\n');
    });
  }
}

@WebSocketGateway()
@Authenticated()
class EventsGateway {
  @SubscribeMessage('whoami')
  whoAmI(@CurrentUser() user: Principal): object {
    return { event: 'you', data: user.sessionId };
  }
}

const ADAPTERS = { Fastify: () => new FastifyAdapter(), Express: () => new ExpressAdapter() };
const apps: INestApplication[] = [];
const keyServers: JwksServer[] = [];

async function start(
  adapter: keyof typeof ADAPTERS,
  options: Partial<AuthGuardOptions>,
): Promise<INestApplication> {
  const module = await Test.createTestingModule({
    imports: [AuthGuardModule.forRoot({ ...issuer.options, ...options })],
    controllers: [EventsController],
    providers: [EventsGateway],
  }).compile();
  const app = module.createNestApplication(ADAPTERS[adapter]() as FastifyAdapter, {
    logger: false,
    forceCloseConnections: true,
  });
  apps.push(app);
  app.useWebSocketAdapter(guardSockets(app, new WsAdapter(app)));
  await app.listen(0, '127.0.0.1');
  return app;
}

beforeAll(async () => {
  url = await feed.serve();
});
beforeEach(() => {
  EventsController.ended = 0;
  EventsController.reasons = [];
});
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
  await Promise.all(keyServers.splice(0).map((server) => server.close()));
});
afterAll(() => feed.close());

/** What a client receives of a response, and whether that is whole. */
class Reader {
  text = '';
  readonly end: Promise<'whole' | 'broken off'>;
  private readonly leaving = new AbortController();

  constructor(app: INestApplication, path: string, token: string) {
    const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
    this.end = this.read(`http://127.0.0.1:${port}/${path}`, token).then(
      () => 'whole',
      () => 'broken off',
    );
  }

  leave(): void {
    this.leaving.abort();
  }

  private async read(address: string, token: string): Promise<void> {
    const response = await fetch(address, {
      headers: { authorization: `Bearer ${token}` },
      signal: this.leaving.signal,
    });
    for await (const chunk of response.body ?? []) {
      this.text += Buffer.from(chunk as Uint8Array).toString();
    }
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

function connect(app: INestApplication, token: string): WebSocket {
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  const headers = { authorization: `Bearer ${token}` };
  return new WebSocket(`ws://127.0.0.1:${port}`, { headers });
}
const closeOf = (socket: WebSocket) =>
  new Promise<[number, string]>((resolve) => {
    socket.once('close', (code, reason) => resolve([code, String(reason)]));
  });
const answerOf = (socket: WebSocket) =>
  new Promise<string>((resolve) => {
    socket.once('message', (data: Buffer) => resolve(data.toString()));
    socket.send(JSON.stringify({ event: 'whoami' }));
  });

describe.each(['Fastify', 'Express'] as const)('a response that goes on, on %s', (adapter) => {
  it('is broken off when its session is revoked, and no other is', async () => {
    const app = await start(adapter, { revocation: { feed: { url } } });
    const streams = app.get(LiveStreams);
    const revoked = new Reader(app, 'events', issuer.token({ sessionId: `${adapter}-revoked` }));
    const other = new Reader(app, 'events', issuer.token({ sessionId: `${adapter}-other` }));
    await until(() => revoked.text !== '' && other.text !== '');
    expect(streams.size).toBe(2);
    feed.revoke({ sessionId: `${adapter}-revoked` });
    expect(await revoked.end).toBe('broken off');
    await until(() => EventsController.ended === 1);
    expect(streams.size).toBe(1);
    other.leave();
    await until(() => streams.size === 0);
  });

  it('is told by a signal when it is written by hand', async () => {
    const app = await start(adapter, { revocation: { feed: { url } } });
    const reader = new Reader(app, 'lines', issuer.token({ sessionId: `${adapter}-by-hand` }));
    await until(() => reader.text !== '');
    feed.revoke({ sessionId: `${adapter}-by-hand` });
    expect(await reader.end).toBe('whole');
    expect(reader.text).toBe('first\nover\n');
    expect(EventsController.reasons).toEqual(['token_revoked']);
  });

  it('is over when its token has expired, after the tolerance for clocks', async () => {
    const clock = new TestClock();
    const app = await start(adapter, { clock, clockTolerance: 5 });
    const token = issuer.token({ lifetime: 600 });
    const events = new Reader(app, 'events', token);
    const lines = new Reader(app, 'lines', token);
    await until(() => events.text !== '' && lines.text !== '');
    clock.advance(603);
    expect(app.get(LiveStreams).size).toBe(2);
    clock.advance(3);
    expect(await events.end).toBe('broken off');
    expect(await lines.end).toBe('whole');
    expect(EventsController.reasons).toEqual(['token_expired']);
    expect(app.get(LiveStreams).size).toBe(0);
  });

  it('is not watched any more when its client has left', async () => {
    const app = await start(adapter, {});
    const reader = new Reader(app, 'lines', issuer.token());
    await until(() => reader.text !== '');
    expect(app.get(LiveStreams).size).toBe(1);
    reader.leave();
    await until(() => app.get(LiveStreams).size === 0);
    expect(EventsController.reasons).toEqual([]);
  });
});

describe('when a signing key is withdrawn', () => {
  const clock = new TestClock();

  /** An application that fetches its keys, and the key that signed first: `withdraw()` is an emergency rotation. */
  async function startWithKeys(adapter: keyof typeof ADAPTERS) {
    const published = createTestIssuer({ clock });
    const server = await published.serve();
    keyServers.push(server);
    const app = await start(adapter, { clock, keys: { jwksUri: server.jwksUri } });
    const before = { token: published.token(), key: published.keyPair };
    published.rotate();
    return {
      app,
      before: before.token,
      after: published.token(),
      withdraw: () => {
        published.withdraw(before.key);
        clock.advance(300);
      },
    };
  }

  it.each(['Fastify', 'Express'] as const)(
    'what its tokens opened is ended with the next refresh, and nothing else is, on %s',
    async (adapter) => {
      const { app, before, after, withdraw } = await startWithKeys(adapter);
      const events = new Reader(app, 'events', before);
      const lines = new Reader(app, 'lines', before);
      const other = new Reader(app, 'events', after);
      await until(() => [events, lines, other].every(({ text }) => text !== ''));
      withdraw();
      expect(await events.end).toBe('broken off');
      expect(await lines.end).toBe('whole');
      expect(EventsController.reasons).toEqual(['token_key_unknown']);
      expect(app.get(LiveStreams).size).toBe(1);
      other.leave();
    },
  );

  it('a stream that begins only then is ended, too', async () => {
    const published = new Map([[issuer.keyPair.kid, issuer.keyPair.publicKey]]);
    const app = await start('Fastify', { keys: { getKey: (kid) => published.get(kid) } });
    const user = await app.get(TokenVerifier).verify(issuer.token());
    published.clear();
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const over = app.get(LiveStreams).untilOver(user, response);
    await until(() => over.aborted);
    expect(over.reason).toMatchObject({ code: 'token_key_unknown' });
    expect(app.get(LiveStreams).size).toBe(0);
  });

  it('sockets are closed without a message from them', async () => {
    const { app, before, after, withdraw } = await startWithKeys('Fastify');
    const [old, other] = [connect(app, before), connect(app, after)];
    await until(() => app.get(LiveConnections).size === 2);
    const closed = closeOf(old);
    withdraw();
    expect(await closed).toEqual([4401, 'token_key_unknown']);
    expect(JSON.parse(await answerOf(other))).toMatchObject({ event: 'you' });
    other.close();
  });
});

describe('a socket', () => {
  it('is closed when the feed says that its session is revoked, without a message from it', async () => {
    const app = await start('Fastify', { revocation: { feed: { url } } });
    const revoked = connect(app, issuer.token({ sessionId: 'socket-revoked' }));
    const other = connect(app, issuer.token({ sessionId: 'socket-other' }));
    await until(() => app.get(LiveConnections).size === 2);
    const closed = closeOf(revoked);
    feed.revoke({ sessionId: 'socket-revoked' });
    expect(await closed).toEqual([4401, 'token_revoked']);
    expect(JSON.parse(await answerOf(other))).toEqual({ event: 'you', data: 'socket-other' });
    other.close();
  });

  it('is closed when only the tokens from before are void, and a newer one opens another', async () => {
    const app = await start('Fastify', { revocation: { feed: { url } } });
    const sessionId = 'socket-other-roles';
    const old = connect(app, issuer.token({ sessionId }));
    await until(() => app.get(LiveConnections).size === 1);
    const closed = closeOf(old);
    const before = Math.floor(Date.now() / 1000) + 1;
    feed.revoke({ sessionId, before });
    expect((await closed)[0]).toBe(4401);
    const again = connect(app, issuer.token({ sessionId, claims: { iat: before } }));
    await until(() => again.readyState === WebSocket.OPEN);
    expect(JSON.parse(await answerOf(again))).toMatchObject({ data: sessionId });
    again.close();
  });
});
