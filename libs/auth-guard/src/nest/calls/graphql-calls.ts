import type { ExecutionContext } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { Authenticator } from '../../authentication/authenticator.js';
import { schemeOf } from '../../authentication/credentials.js';
import { AuthError } from '../../errors.js';
import type { Principal } from '../../token/principal.js';
import { AuthException } from '../auth.exception.js';
import { headersOf } from '../challenge.js';
import type { Protection } from '../challenge.js';
import type { LiveConnections } from '../sockets/live-connections.js';
import type { CallKind } from './call-kind.js';
import { graphqlOriginOf } from './graphql-request.js';

/**
 * Queries, mutations and subscriptions: authenticated by the request that carried them, or that opened the
 * socket they came over, which ends with its token. A refusal is an
 * error among `errors`, with its code in `extensions`; the challenge is on the answer.
 */
export class GraphqlCalls implements CallKind {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly connections: LiveConnections,
    private readonly adapter: HttpAdapterHost,
    private readonly protection: Protection,
  ) {}

  authenticate(context: ExecutionContext): Principal | Promise<Principal> {
    const origin = graphqlOriginOf(context);
    if (!origin) {
      throw new AuthError('context_unsupported', {
        detail: 'The GraphQL context does not hold the request.',
      });
    }
    const { request, operation, socket } = origin;
    // What comes over a socket has no proof of its own: RFC 9449 section 4.3 is about the request that opened it.
    if (socket) return this.connections.authenticate(socket, request);
    // A subscription goes on after this answer: it is admitted when it can be ended.
    if (operation === 'subscription') {
      throw new AuthError('context_unsupported', {
        detail: 'The GraphQL context does not hold the socket of the subscription.',
      });
    }
    return this.authenticator.authenticate(request);
  }

  refuse(context: ExecutionContext, error: AuthError): never {
    const origin = graphqlOriginOf(context);
    if (origin?.reply && !origin.socket) {
      const { authorization } = origin.request.headers;
      const headers = headersOf(error, this.protection, schemeOf(authorization));
      for (const [name, value] of Object.entries(headers)) {
        // The body is GraphQL's.
        if (name !== 'Content-Type') this.adapter.httpAdapter.setHeader(origin.reply, name, value);
      }
    }
    throw new AuthException(error);
  }
}
