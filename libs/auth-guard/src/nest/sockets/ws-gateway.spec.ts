import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import type { INestApplication, Type } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { WebSocket } from 'ws';
import {
  Authenticated,
  AuthGuardModule,
  CurrentUser,
  guardSockets,
  LiveConnections,
  listRoutes,
  Public,
  Roles,
} from '../../index.js';
import type { AuthGuardOptions, KeySource, Principal } from '../../index.js';
import { createTestIssuer, TestClock } from '../../testing/index.js';

const clock = new TestClock();
const issuer = createTestIssuer({ clock });

@WebSocketGateway()
@Authenticated()
class OrdersGateway {
  static connected = 0;

  handleConnection(): void {
    OrdersGateway.connected += 1;
  }

  @SubscribeMessage('whoami')
  whoAmI(@CurrentUser() user: Principal): object {
    return { event: 'you', data: user.subject };
  }

  @SubscribeMessage('refund')
  @Roles('admin')
  refund(): object {
    return { event: 'refunded', data: null };
  }

  @SubscribeMessage('hello')
  @Public()
  hello(@ConnectedSocket() client: { user?: Principal }): object {
    return { event: 'hello', data: client.user?.subject ?? 'stranger' };
  }
}

/** On the same server: each connection comes by both. */
@WebSocketGateway()
class OtherGateway {
  @SubscribeMessage('other')
  @Roles('admin')
  other(): object {
    return { event: 'other', data: null };
  }
}

const apps: INestApplication[] = [];

async function start(
  options: Partial<AuthGuardOptions> = {},
  { gateways = [OrdersGateway, OtherGateway] as Type[], guard = true } = {},
): Promise<INestApplication> {
  const module = await Test.createTestingModule({
    imports: [AuthGuardModule.forRoot({ ...issuer.options, clock, ...options })],
    providers: gateways,
  }).compile();
  const app = module.createNestApplication(new FastifyAdapter(), {
    logger: false,
  });
  apps.push(app);
  const adapter = new WsAdapter(app);
  app.useWebSocketAdapter(guard ? guardSockets(app, adapter) : adapter);
  await app.listen(0, '127.0.0.1');
  return app;
}

/** A client that keeps what it was told. */
class Client {
  readonly received: { event: string; data: unknown }[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  private readonly socket: WebSocket;
  private waiting: (() => void)[] = [];

  constructor(app: INestApplication, headers: Record<string, string | string[]> = {}, path = '/') {
    const server = app.getHttpServer() as Server;
    const { port } = server.address() as AddressInfo;
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
      this.socket.on('error', () => undefined);
    });
    this.socket.on('message', (bytes: Buffer) => {
      this.received.push(JSON.parse(bytes.toString()) as { event: string; data: unknown });
      for (const wake of this.waiting.splice(0)) wake();
    });
  }

  giveUp(): void {
    this.socket.terminate();
  }

  /** Sends a message and gives the first answer to it. */
  async ask(event: string): Promise<{ event: string; data: unknown }> {
    if (this.socket.readyState !== WebSocket.OPEN) {
      await new Promise((resolve) => this.socket.once('open', resolve));
    }
    const answered = new Promise<void>((resolve) => this.waiting.push(resolve));
    this.socket.send(JSON.stringify({ event, data: {} }));
    await answered;
    const answer = this.received.at(-1);
    if (!answer) throw new Error('There was no answer.');
    return answer;
  }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

beforeAll(() => {
  Logger.overrideLogger(false);
});
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

describe('a gateway on ws', () => {
  it('knows who opened the connection, on each message', async () => {
    const client = new Client(await start(), bearer(issuer.token({ subject: 'u1' })));
    expect(await client.ask('whoami')).toEqual({ event: 'you', data: 'u1' });
    expect(await client.ask('hello')).toEqual({ event: 'hello', data: 'u1' });
  });

  it('closes a connection that brings two tokens with 4400', async () => {
    const { authorization } = bearer(issuer.token());
    const client = new Client(await start(), { authorization: [authorization, authorization] });
    expect(await client.closed).toEqual({ code: 4400, reason: 'request_ambiguous' });
  });

  it('closes a connection without a token with 4401, before the gateway sees it', async () => {
    const app = await start();
    const before = OrdersGateway.connected;
    expect(await new Client(app).closed).toEqual({ code: 4401, reason: 'token_missing' });
    expect(OrdersGateway.connected).toBe(before);
  });

  it.each(Object.keys(issuer.badTokens()))(
    'closes a connection with the bad token "%s" with 4401',
    async (kind) => {
      const before = OrdersGateway.connected;
      const client = new Client(await start(), bearer(issuer.badTokens()[kind as 'expired']));
      const { code, reason } = await client.closed;
      expect(code).toBe(4401);
      expect(reason).toMatch(/^token_/);
      expect(client.received).toEqual([]);
      expect(OrdersGateway.connected).toBe(before);
    },
  );

  it('does not look for a token in the query or in a cookie', async () => {
    const app = await start();
    const token = issuer.token();
    const query = new Client(app, {}, `/?access_token=${token}&token=${token}`);
    expect((await query.closed).reason).toBe('token_missing');
    const cookie = new Client(app, { cookie: `__Host-token=${token}` });
    expect((await cookie.closed).reason).toBe('token_missing');
  });

  it('does not take a cookie from the page of another site, though an upgrade is a GET', async () => {
    const app = await start({ cookie: { name: '__Host-token', origins: ['https://app.example'] } });
    const cookie = `__Host-token=${issuer.token({ subject: 'u2' })}`;
    const evil = new Client(app, { cookie, origin: 'https://evil.example' });
    expect(await evil.closed).toEqual({ code: 4403, reason: 'request_cross_site' });
    expect((await new Client(app, { cookie }).closed).code).toBe(4403);
    const own = new Client(app, { cookie, origin: 'https://app.example' });
    expect(await own.ask('whoami')).toEqual({ event: 'you', data: 'u2' });
  });

  it('refuses a message that the token does not open, and goes on', async () => {
    const client = new Client(await start(), bearer(issuer.token()));
    for (const event of ['refund', 'other']) {
      expect(await client.ask(event)).toMatchObject({
        event: 'exception',
        data: { code: 'insufficient_scope', status: 403, required: { roles: ['admin'] } },
      });
    }
    expect((await client.ask('whoami')).event).toBe('you');
  });

  it('closes the connection when its token has expired', async () => {
    const app = await start();
    const client = new Client(app, bearer(issuer.token({ lifetime: 60 })));
    await client.ask('whoami');
    clock.advance(59);
    await client.ask('whoami');
    for (let second = 0; second < 10; second += 1) {
      clock.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.closed).toEqual({ code: 4401, reason: 'token_expired' });
    expect(app.get(LiveConnections).size).toBe(0);
  });

  it('refuses a message as soon as the token is revoked, says so, and closes', async () => {
    let revoked = false;
    const app = await start({ revocation: { isRevoked: () => revoked } });
    const client = new Client(app, bearer(issuer.token()));
    await client.ask('whoami');
    revoked = true;
    expect(await client.ask('hello')).toMatchObject({ event: 'hello' });
    expect(await client.ask('whoami')).toMatchObject({
      event: 'exception',
      data: { code: 'token_revoked' },
    });
    expect(await client.closed).toEqual({ code: 4401, reason: 'token_revoked' });
  });

  it('refuses a message once the key of the token was withdrawn', async () => {
    const published = new Map([[issuer.keyPair.kid, issuer.keyPair.publicKey]]);
    const keys: KeySource = { getKey: (kid) => published.get(kid) };
    const client = new Client(await start({ keys }), bearer(issuer.token()));
    await client.ask('whoami');
    published.clear();
    expect(await client.ask('whoami')).toMatchObject({ data: { code: 'token_key_unknown' } });
    expect((await client.closed).code).toBe(4401);
  });

  it('closes the connections of a session at once when somebody says so', async () => {
    const app = await start();
    const mine = new Client(app, bearer(issuer.token({ sessionId: 's1' })));
    const other = new Client(app, bearer(issuer.token({ sessionId: 's2' })));
    await mine.ask('whoami');
    await other.ask('whoami');
    expect(app.get(LiveConnections).closeWhere(({ sessionId }) => sessionId === 's1')).toBe(1);
    expect(await mine.closed).toEqual({ code: 4401, reason: 'token_revoked' });
    expect((await other.ask('whoami')).event).toBe('you');
  });

  it('loses no message while the key of the token is looked up', async () => {
    const { publicKey } = issuer.keyPair;
    const key = Promise.withResolvers<typeof publicKey>();
    const asked = Promise.withResolvers<undefined>();
    const keys: KeySource = {
      getKey: () => {
        asked.resolve(undefined);
        return key.promise;
      },
    };
    const client = new Client(await start({ keys }), bearer(issuer.token()));
    const answer = client.ask('hello');
    await asked.promise;
    key.resolve(publicKey);
    expect((await answer).event).toBe('hello');
  });

  it('does not keep a connection that was given up while the key of its token was looked up', async () => {
    const key = Promise.withResolvers<undefined>();
    const asked = Promise.withResolvers<undefined>();
    const keys: KeySource = {
      getKey: async () => {
        asked.resolve(undefined);
        await key.promise;
        return issuer.keyPair.publicKey;
      },
    };
    const app = await start({ keys });
    const client = new Client(app, bearer(issuer.token()));
    await asked.promise;
    client.giveUp();
    await client.closed;
    await new Promise((resolve) => setTimeout(resolve, 20));
    key.resolve(undefined);
    await new Promise((resolve) => setImmediate(resolve));
    expect(app.get(LiveConnections).size).toBe(0);
  });

  it('tells a connection to come back later when the keys cannot be had', async () => {
    const server = await issuer.serve();
    server.answerWith((response) => response.destroy());
    const app = await start({ keys: { jwksUri: server.jwksUri } });
    const client = new Client(app, bearer(issuer.token()));
    expect(await client.closed).toEqual({ code: 1013, reason: 'keys_unavailable' });
    await server.close();
  });

  it('lets strangers in where that is said, to public messages alone', async () => {
    const app = await start({ sockets: { anonymous: true } });
    const stranger = new Client(app);
    expect(await stranger.ask('hello')).toEqual({ event: 'hello', data: 'stranger' });
    expect(await stranger.ask('whoami')).toMatchObject({ data: { code: 'token_missing' } });
    expect((await stranger.ask('hello')).event).toBe('hello');
    const bad = new Client(app, bearer(issuer.badTokens().expired));
    expect((await bad.closed).code).toBe(4401);
  });
});

describe('an application with gateways', () => {
  it('does not start when nobody authenticates their connections', async () => {
    await expect(start({}, { guard: false })).rejects.toThrow('guardSockets(app');
  });

  it('does not start with a message that says nothing about access', async () => {
    @WebSocketGateway()
    class ForgetfulGateway {
      @SubscribeMessage('forgotten')
      forgotten(): void {
        // Only its decorators matter.
      }
    }
    await expect(start({}, { gateways: [ForgetfulGateway] })).rejects.toThrow(
      'ForgetfulGateway.forgotten (SOCKET forgotten)',
    );
  });

  it('lists its messages among the routes', async () => {
    const routes = listRoutes(await start());
    expect(routes.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'SOCKET whoami',
      'SOCKET refund',
      'SOCKET hello',
      'SOCKET other',
    ]);
  });
});
