import type { TokenRequest } from '../../authentication/credentials.js';
import type { AuthError } from '../../errors.js';
import { problemOf } from '../challenge.js';

/** As graphql-ws and others have it: like 401 and 503, in the range that is free for applications. */
const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;
const BAD_REQUEST = 4400;
/** RFC 6455 section 7.4.1's registry: try again later. */
const TRY_AGAIN_LATER = 1013;

/** `readyState` of what is neither closing nor closed (WHATWG WebSockets section 3.1). */
const OPEN = 1;

type SocketMethod = (...args: unknown[]) => unknown;

/** What the sockets of `ws` and of Socket.IO have, each some of it. */
interface Socket {
  handshake?: { auth?: Record<string, unknown> };
  request?: Pick<TokenRequest, 'headers' | 'rawHeaders'> & { url?: string };
  close?: SocketMethod;
  disconnect?: SocketMethod;
  emit?: SocketMethod;
  once?: SocketMethod;
  readyState?: number;
  disconnected?: boolean;
  pause?: SocketMethod;
  resume?: SocketMethod;
  use?: (middleware: (event: unknown, next: () => void) => void) => unknown;
}

/**
 * The request that opened a connection: the second argument of a `ws` connection, a member of a
 * Socket.IO socket. Where a Socket.IO client has no Authorization header, because browsers cannot set
 * one, the `auth.token` of its handshake stands in. The query is never looked at.
 *
 * @returns undefined for a socket of another make
 */
export function upgradeRequestOf(client: object, upgrade: unknown): TokenRequest | undefined {
  const { request, handshake } = client as Socket;
  const opened = (request ?? upgrade) as Socket['request'];
  if (typeof opened?.headers !== 'object') return undefined;
  const token = handshake?.auth?.token;
  const offered = typeof token === 'string' ? `Bearer ${token}` : undefined;
  const authorization = opened.headers.authorization ?? offered;
  return {
    method: 'GET',
    url: opened.url ?? '/',
    // Both are one too many.
    rawHeaders: [
      ...(opened.rawHeaders ?? []),
      ...(offered === undefined ? [] : ['authorization', offered]),
    ],
    headers: {
      ...opened.headers,
      // Long polling opens a connection too, and its requests do not say so.
      upgrade: 'websocket',
      ...(authorization === undefined ? {} : { authorization }),
    },
  };
}

/** Closes a connection: 4401 and the code of the reason for `ws`, an `exception` before for Socket.IO. */
export function closeSocket(client: object, reason: AuthError): void {
  const socket = client as Socket;
  if (socket.disconnect) {
    socket.emit?.('exception', problemOf(reason));
    socket.disconnect(true);
  } else {
    socket.close?.(closeCodeOf(reason.status), reason.code);
  }
}

function closeCodeOf(status: number): number {
  if (status === 503) return TRY_AGAIN_LATER;
  if (status === 400) return BAD_REQUEST;
  return status === 401 ? UNAUTHORIZED : FORBIDDEN;
}

/** Whether it was closed before anybody could ask to be told of it. */
export function isClosed(client: object): boolean {
  const { readyState, disconnected } = client as Socket;
  return disconnected ?? (readyState !== undefined && readyState > OPEN);
}

export function onceClosed(client: object, then: () => void): void {
  const { disconnect } = client as Socket;
  (client as Socket).once?.(disconnect ? 'disconnect' : 'close', then);
}

/** Keeps what arrives for later, while a key is looked up. */
export function holdMessages(client: object): () => void {
  const socket = client as Socket;
  const held = Promise.withResolvers<undefined>();
  // Socket.IO's cannot pause, but asks before it hands on a message, and hands on none of a closed socket.
  socket.use?.((_event, next) => void held.promise.then(() => next()));
  socket.pause?.();
  return () => {
    held.resolve(undefined);
    socket.resume?.();
  };
}
