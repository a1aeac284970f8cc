import type { KeyObject } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { Test } from '@nestjs/testing';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { io } from 'socket.io-client';
import type { Socket } from 'socket.io-client';
import {
  Authenticated,
  AuthGuardModule,
  CurrentUser,
  guardSockets,
  LiveConnections,
  Roles,
} from '../../index.js';
import type { KeySource, Principal } from '../../index.js';
import { createTestIssuer } from '../../testing/index.js';

const issuer = createTestIssuer();

type Key = ReturnType<KeySource['getKey']>;
const published = (kid: string): Key =>
  kid === issuer.keyPair.kid ? issuer.keyPair.publicKey : undefined;
let getKey = published;
/** Names of the messages that have arrived, whatever became of them. */
let received: string[] = [];

@WebSocketGateway()
@Authenticated()
class OrdersGateway {
  static readonly echoed: string[] = [];

  afterInit(server: EventEmitter): void {
    server.on('connection', (socket: { onAny: (listener: (name: string) => void) => void }) =>
      socket.onAny((name) => received.push(name)),
    );
  }

  @SubscribeMessage('echo')
  echo(@MessageBody() text: string): string {
    OrdersGateway.echoed.push(text);
    return text;
  }

  @SubscribeMessage('whoami')
  whoAmI(@CurrentUser() user: Principal): string {
    return user.subject;
  }

  @SubscribeMessage('refund')
  @Roles('admin')
  refund(): string {
    return 'refunded';
  }
}

let app: INestApplication;
let url: string;
const sockets: Socket[] = [];

beforeAll(async () => {
  Logger.overrideLogger(false);
  const module = await Test.createTestingModule({
    imports: [
      AuthGuardModule.forRoot({ ...issuer.options, keys: { getKey: (kid) => getKey(kid) } }),
    ],
    providers: [OrdersGateway],
  }).compile();
  app = module.createNestApplication(new ExpressAdapter(), { logger: false });
  app.useWebSocketAdapter(guardSockets(app, new IoAdapter(app)));
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});

beforeEach(() => {
  getKey = published;
  received = [];
});

afterAll(async () => {
  for (const socket of sockets) socket.disconnect();
  await app.close();
});

function connect(options: Parameters<typeof io>[1]): Socket {
  const socket = io(url, { reconnection: false, forceNew: true, ...options });
  sockets.push(socket);
  return socket;
}

const event = (socket: Socket, name: string) =>
  new Promise<unknown>((resolve) => socket.once(name, resolve));

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

describe.each([['websocket'], ['polling']])('a gateway on Socket.IO over %s', (transport) => {
  const transports = [transport];

  it('takes the token from the Authorization header', async () => {
    const extraHeaders = { authorization: `Bearer ${issuer.token({ subject: 'u1' })}` };
    const socket = connect({ transports, extraHeaders });
    expect(await socket.emitWithAck('whoami', {})).toBe('u1');
  });

  it('takes the token from the handshake, where browsers cannot set a header', async () => {
    const socket = connect({ transports, auth: { token: issuer.token({ subject: 'u2' }) } });
    expect(await socket.emitWithAck('whoami', {})).toBe('u2');
  });

  it.each([
    ['no token', undefined, 'token_missing'],
    ['a token that is no text', { token: { toString: 'x' } }, 'token_missing'],
    ['an expired token', { token: issuer.badTokens().expired }, 'token_expired'],
    ['a forged token', { token: issuer.badTokens().tampered }, 'token_signature_invalid'],
  ])('ends a connection with %s, and says why', async (_what, auth, code) => {
    const socket = connect({ transports, ...(auth ? { auth } : {}) });
    const [problem, reason] = await Promise.all([
      event(socket, 'exception'),
      event(socket, 'disconnect'),
    ]);
    expect(problem).toMatchObject({ status: 401, code });
    expect(reason).toBe('io server disconnect');
  });

  it('ends a connection with a token in the header and another in the handshake', async () => {
    const extraHeaders = { authorization: `Bearer ${issuer.token({ subject: 'u1' })}` };
    const auth = { token: issuer.token({ subject: 'u2' }) };
    const socket = connect({ transports, extraHeaders, auth });
    expect(await event(socket, 'exception')).toMatchObject({ code: 'request_ambiguous' });
  });

  it('does not look into the query', async () => {
    const socket = connect({ transports, query: { token: issuer.token() } });
    expect(await event(socket, 'exception')).toMatchObject({ code: 'token_missing' });
  });

  it('refuses a message that the token does not open', async () => {
    const socket = connect({ transports, auth: { token: issuer.token() } });
    const refused = event(socket, 'exception');
    socket.emit('refund', {});
    expect(await refused).toMatchObject({ code: 'insufficient_scope', status: 403 });
  });

  it('loses no message while the key of the token is looked up, and keeps their order', async () => {
    const key = Promise.withResolvers<KeyObject>();
    getKey = () => key.promise;
    const socket = connect({ transports, auth: { token: issuer.token({ subject: 'u3' }) } });
    await event(socket, 'connect');
    const answers: string[] = [];
    const asked = ['first', 'second'].map((text) =>
      socket.emitWithAck('echo', text).then((answer: string) => answers.push(answer)),
    );
    await until(() => received.length === 2);
    expect(answers).toEqual([]);
    key.resolve(issuer.keyPair.publicKey);
    await Promise.all(asked);
    expect(answers).toEqual(['first', 'second']);
  });

  it('takes no message with a token whose key turns out to be unknown', async () => {
    const key = Promise.withResolvers<undefined>();
    getKey = () => key.promise;
    const socket = connect({ transports, auth: { token: issuer.token() } });
    await event(socket, 'connect');
    const refused = event(socket, 'exception');
    socket.emit('echo', 'anything');
    await until(() => received.length === 1);
    key.resolve(undefined);
    expect(await refused).toMatchObject({ code: 'token_key_unknown' });
    expect(OrdersGateway.echoed).not.toContain('anything');
  });

  it('is closed with its session', async () => {
    const token = issuer.token({ sessionId: `ended-${transport}` });
    const socket = connect({ transports, auth: { token } });
    await socket.emitWithAck('whoami', {});
    const closed = event(socket, 'disconnect');
    app.get(LiveConnections).closeWhere(({ sessionId }) => sessionId === `ended-${transport}`);
    expect(await closed).toBe('io server disconnect');
  });
});
