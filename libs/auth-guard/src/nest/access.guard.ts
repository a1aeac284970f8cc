import { Inject, Injectable, Logger } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Access, TokenAccess } from '../access/access.js';
import { assertAccess } from '../access/decide.js';
import { accessOf } from '../access/decorators.js';
import { AuthError } from '../errors.js';
import { TokenVerifier } from '../token/verifier.js';
import type { Principal } from '../token/principal.js';
import { AuthException } from './auth.exception.js';
import { bearerToken } from './bearer-token.js';
import { headersOf } from './challenge.js';
import type { Protection } from './challenge.js';
import { MODULE_OPTIONS_TOKEN } from './module-definition.js';
import type { AuthGuardOptions } from './options.js';
import { checkCookieOptions, cookieToken } from './token-cookie.js';
import type { TokenRequest } from './token-cookie.js';

interface GuardedRequest extends TokenRequest {
  user?: unknown;
}

/**
 * Stands in front of every handler of the application. Authentication and the decision about access
 * happen here, in this order, in one place: no order of decorators can part them.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly logger = new Logger('AuthGuard');
  private readonly protection: Protection;
  private readonly unknownTypes = new Set<string>();
  private readonly declared = new WeakMap<object, WeakMap<object, Access>>();

  constructor(
    private readonly verifier: TokenVerifier,
    private readonly adapter: HttpAdapterHost,
    @Inject(MODULE_OPTIONS_TOKEN) private readonly options: AuthGuardOptions,
  ) {
    const { realm, audience, resourceMetadata, cookie } = options;
    this.protection = { realm: realm ?? [audience].flat()[0] ?? '', resourceMetadata };
    if (cookie) checkCookieOptions(cookie);
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const type = context.getType<string>();
    if (type !== 'http') return this.denyUnknown(type);
    try {
      const access = this.accessTo(context);
      if (!access) throw new AuthError('access_undeclared');
      if (access.kind === 'public') return true;
      const outcome = this.admit(context.switchToHttp().getRequest<GuardedRequest>(), access);
      if (outcome === true) return true;
      return outcome.catch((error: unknown) => this.refuse(context, error));
    } catch (error) {
      return this.refuse(context, error);
    }
  }

  private denyUnknown(type: string): false {
    if (!this.unknownTypes.has(type)) {
      this.unknownTypes.add(type);
      this.logger.warn(`Calls of a kind that the guard does not know are denied: ${type}.`);
    }
    return false;
  }

  /** Answers at once unless a new key has to be waited for. */
  private admit(request: GuardedRequest, access: TokenAccess): true | Promise<true> {
    const principal = this.verifier.verify(this.tokenOf(request));
    return principal instanceof Promise
      ? principal.then((verified) => enter(request, verified, access))
      : enter(request, principal, access);
  }

  private tokenOf(request: GuardedRequest): string {
    const { authorization } = request.headers;
    const { cookie } = this.options;
    const fromCookie = cookie && !authorization ? cookieToken(request, cookie) : undefined;
    return fromCookie ?? bearerToken(authorization);
  }

  private accessTo(context: ExecutionContext): Access | undefined {
    const type = context.getClass();
    const handler = context.getHandler();
    const known = this.declared.get(type)?.get(handler);
    if (known) return known;
    const access = accessOf(type, handler);
    if (!access) return undefined;
    const handlers = this.declared.get(type) ?? new WeakMap<object, Access>();
    this.declared.set(type, handlers.set(handler, access));
    return access;
  }

  /** The headers go onto the response here, so that they arrive whichever filter renders the body. */
  private refuse(context: ExecutionContext, error: unknown): never {
    if (!(error instanceof AuthError)) throw error;
    const response: unknown = context.switchToHttp().getResponse();
    for (const [name, value] of Object.entries(headersOf(error, this.protection))) {
      this.adapter.httpAdapter.setHeader(response, name, value);
    }
    throw new AuthException(error);
  }
}

function enter(request: GuardedRequest, principal: Principal, access: TokenAccess): true {
  assertAccess(principal, access);
  request.user = principal;
  return true;
}
