import type { ExecutionContext } from '@nestjs/common';
import type { AuthError } from '../../errors.js';
import type { Principal } from '../../token/principal.js';
import { problemOf } from '../challenge.js';
import type { LiveConnections } from '../sockets/live-connections.js';
import type { CallKind } from './call-kind.js';

/**
 * Messages to gateways. Who sends them was settled when the connection opened; whether that still
 * holds is asked again for each message.
 */
export class SocketCalls implements CallKind {
  constructor(private readonly connections: LiveConnections) {}

  authenticate(context: ExecutionContext): Principal | Promise<Principal> {
    return this.connections.authenticateAgain(context.switchToWs().getClient<object>());
  }

  /** Nest's filter passes on what a WsException holds; of other errors it says nothing. */
  async refuse(context: ExecutionContext, error: AuthError): Promise<never> {
    const client = context.switchToWs().getClient<object>();
    const { WsException } = await import('@nestjs/websockets');
    const tokenIsOver = error.status === 401 && error.code !== 'token_missing';
    // After the filter has told the client why.
    if (tokenIsOver) setImmediate(() => this.connections.end(client, error));
    throw new WsException(problemOf(error));
  }
}
