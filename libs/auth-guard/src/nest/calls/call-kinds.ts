import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Authenticator } from '../../authentication/authenticator.js';
import { protectionOf } from '../challenge.js';
import { MODULE_OPTIONS_TOKEN } from '../module-definition.js';
import type { AuthGuardOptions } from '../options.js';
import { LiveConnections } from '../sockets/live-connections.js';
import type { CallKind } from './call-kind.js';
import { GraphqlCalls } from './graphql-calls.js';
import { HttpCalls } from './http-calls.js';
import { RpcCalls } from './rpc-calls.js';
import { SocketCalls } from './socket-calls.js';

/** The kinds of calls that the guard knows, by the name that Nest gives them. Others are denied. */
@Injectable()
export class CallKinds {
  private readonly kinds: ReadonlyMap<string, CallKind>;

  constructor(
    authenticator: Authenticator,
    connections: LiveConnections,
    adapter: HttpAdapterHost,
    @Inject(MODULE_OPTIONS_TOKEN) options: AuthGuardOptions,
  ) {
    const protection = protectionOf(options);
    this.kinds = new Map<string, CallKind>([
      ['http', new HttpCalls(authenticator, adapter, protection)],
      ['graphql', new GraphqlCalls(authenticator, connections, adapter, protection)],
      ['ws', new SocketCalls(connections)],
      ['rpc', new RpcCalls(authenticator, options.rpc)],
    ]);
  }

  get(type: string): CallKind | undefined {
    return this.kinds.get(type);
  }
}
