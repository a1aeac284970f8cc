import type { INestApplicationContext, WebSocketAdapter } from '@nestjs/common';
import { Injectable, Inject } from '@nestjs/common';
import { AuthError, InvalidTokenError } from '../../errors.js';
import { MODULE_OPTIONS_TOKEN } from '../module-definition.js';
import type { AuthGuardOptions } from '../options.js';
import { CallCounts } from '../../metrics/call-counts.js';
import { LiveConnections } from './live-connections.js';
import { closeSocket, holdMessages, upgradeRequestOf } from './socket.js';

/** How connections to gateways are let in. */
export interface SocketOptions {
  /**
   * Lets connections be that bring no token, for gateways with public messages. They also receive
   * what a gateway sends to everybody. A token that is brought is still checked. False by default.
   */
  anonymous?: boolean;
}

type Connect = (...args: unknown[]) => unknown;
const guarded = new WeakSet();

/**
 * Makes a WebSocket adapter authenticate each connection before a gateway sees it. Nest gives guards
 * no hand in that, so an application with gateways says it once, and does not start without:
 *
 * @example
 * app.useWebSocketAdapter(guardSockets(app, new WsAdapter(app)));
 *
 * @returns the adapter
 */
export function guardSockets<Adapter extends WebSocketAdapter>(
  app: INestApplicationContext,
  adapter: Adapter,
): Adapter {
  const door = app.get(ConnectionDoor);
  const bind = adapter.bindClientConnect.bind(adapter) as (server: unknown, then: Connect) => void;
  adapter.bindClientConnect = (server: unknown, connect: Connect) =>
    bind(server, (...args) => door.open(args, connect));
  guarded.add(adapter);
  return adapter;
}

export function isGuarded(adapter: object): boolean {
  return guarded.has(adapter);
}

/** Where connections come in. */
@Injectable()
export class ConnectionDoor {
  /** What was decided about a socket, for the second gateway on the same server. */
  private readonly decided = new WeakMap<object, boolean | Promise<boolean>>();

  constructor(
    private readonly connections: LiveConnections,
    private readonly counts: CallCounts,
    @Inject(MODULE_OPTIONS_TOKEN) private readonly options: AuthGuardOptions,
  ) {}

  /** Calls `connect` once the connection is let in; within this call unless a key is looked up. */
  open(args: unknown[], connect: Connect): void {
    const [client, upgrade] = args as [object, unknown];
    const decided = this.decided.get(client) ?? this.decide(client, upgrade);
    this.decided.set(client, decided);
    if (decided instanceof Promise) {
      const release = holdMessages(client);
      void decided.then((admitted) => {
        if (admitted) connect(...args);
        release();
      });
    } else if (decided) connect(...args);
  }

  private decide(client: object, upgrade: unknown): boolean | Promise<boolean> {
    try {
      const request = upgradeRequestOf(client, upgrade);
      if (!request) throw new AuthError('context_unsupported');
      const principal = this.connections.authenticate(client, request);
      if (!(principal instanceof Promise)) return this.admit(client, principal);
      return principal.then(
        (verified) => this.admit(client, verified),
        (error: unknown) => this.refuse(client, error),
      );
    } catch (error) {
      return this.refuse(client, error);
    }
  }

  private admit(client: { user?: unknown }, principal: unknown): true {
    client.user = principal;
    this.counts.admitted('connection');
    return true;
  }

  private refuse(client: object, error: unknown): boolean {
    const { anonymous } = this.options.sockets ?? {};
    if (anonymous && error instanceof AuthError && error.code === 'token_missing') {
      this.counts.anonymous('connection');
      this.connections.admitAnonymous(client);
      return true;
    }
    const reason = error instanceof AuthError ? error : new InvalidTokenError('token_malformed');
    this.counts.refused('connection', reason.code);
    closeSocket(client, reason);
    return false;
  }
}
