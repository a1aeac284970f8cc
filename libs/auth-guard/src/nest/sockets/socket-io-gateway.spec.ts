import { Logger } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
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
import type { Principal } from '../../index.js';
import { createTestIssuer } from '../../testing/index.js';

const issuer = createTestIssuer();

@WebSocketGateway()
@Authenticated()
class OrdersGateway {
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
    imports: [AuthGuardModule.forRoot(issuer.options)],
    providers: [OrdersGateway],
  }).compile();
  app = module.createNestApplication(new ExpressAdapter(), { logger: false });
  app.useWebSocketAdapter(guardSockets(app, new IoAdapter(app)));
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
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

  it('is closed with its session', async () => {
    const token = issuer.token({ sessionId: `ended-${transport}` });
    const socket = connect({ transports, auth: { token } });
    await socket.emitWithAck('whoami', {});
    const closed = event(socket, 'disconnect');
    app.get(LiveConnections).closeWhere(({ sessionId }) => sessionId === `ended-${transport}`);
    expect(await closed).toBe('io server disconnect');
  });
});
