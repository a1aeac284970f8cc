import type { ExecutionContext } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { Authenticator } from '../../authentication/authenticator.js';
import type { TokenRequest } from '../../authentication/credentials.js';
import { schemeOf } from '../../authentication/credentials.js';
import type { AuthError } from '../../errors.js';
import type { Principal } from '../../token/principal.js';
import { AuthException } from '../auth.exception.js';
import { headersOf, nonceHeaders } from '../challenge.js';
import type { Protection } from '../challenge.js';
import type { CallKind } from './call-kind.js';
import { httpRequestOf } from './caller.js';

/** Requests over HTTP, on Fastify and on Express. */
export class HttpCalls implements CallKind {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly adapter: HttpAdapterHost,
    private readonly protection: Protection,
  ) {}

  authenticate(context: ExecutionContext): Principal | Promise<Principal> {
    const request = httpRequestOf(context) as TokenRequest;
    const principal = this.authenticator.authenticate(request);
    if (!(principal instanceof Promise)) return principal;
    return principal.then((verified) => {
      const nonce = this.authenticator.freshNonceFor(request);
      if (nonce !== undefined) this.setHeaders(responseOf(context), nonceHeaders(nonce));
      return verified;
    });
  }

  /** The headers go onto the response here, so that they arrive whichever filter renders the body. */
  refuse(context: ExecutionContext, error: AuthError): never {
    const { authorization } = (httpRequestOf(context) as TokenRequest).headers;
    const headers = headersOf(error, this.protection, schemeOf(authorization));
    if (!takesProblems(this.adapter.httpAdapter)) delete headers['Content-Type'];
    this.setHeaders(responseOf(context), headers);
    throw new AuthException(error);
  }

  private setHeaders(response: unknown, headers: Record<string, string>): void {
    for (const [name, value] of Object.entries(headers)) {
      this.adapter.httpAdapter.setHeader(response, name, value);
    }
  }
}

/**
 * Express under Nest 11 sends JSON as `application/json` and nothing else. Asked for another type it writes a
 * warning each time, and whoever sends no token could fill the log. Nest 12's adapters are told by their cookies.
 */
function takesProblems(adapter: HttpAdapterHost['httpAdapter']): boolean {
  return adapter.getType() !== 'express' || 'setCookie' in adapter;
}

function responseOf(context: ExecutionContext): unknown {
  return context.switchToHttp().getResponse<unknown>();
}
