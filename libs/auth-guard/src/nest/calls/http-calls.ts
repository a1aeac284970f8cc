import type { ExecutionContext } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { Authenticator } from '../../authentication/authenticator.js';
import type { TokenRequest } from '../../authentication/credentials.js';
import type { AuthError } from '../../errors.js';
import type { Principal } from '../../token/principal.js';
import { AuthException } from '../auth.exception.js';
import { headersOf } from '../challenge.js';
import type { Protection } from '../challenge.js';
import type { CallKind } from './call-kind.js';

/** Requests over HTTP, on Fastify and on Express. */
export class HttpCalls implements CallKind {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly adapter: HttpAdapterHost,
    private readonly protection: Protection,
  ) {}

  authenticate(context: ExecutionContext): Principal | Promise<Principal> {
    return this.authenticator.authenticate(context.switchToHttp().getRequest<TokenRequest>());
  }

  /** The headers go onto the response here, so that they arrive whichever filter renders the body. */
  refuse(context: ExecutionContext, error: AuthError): never {
    const response: unknown = context.switchToHttp().getResponse();
    for (const [name, value] of Object.entries(headersOf(error, this.protection))) {
      this.adapter.httpAdapter.setHeader(response, name, value);
    }
    throw new AuthException(error);
  }
}
