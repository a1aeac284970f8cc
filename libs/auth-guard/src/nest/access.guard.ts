import { Injectable, Logger } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Access } from '../access/access.js';
import { assertAccess } from '../access/decide.js';
import { accessOf } from '../access/decorators.js';
import { AuthError, InvalidTokenError } from '../errors.js';
import { CallCounts } from '../metrics/call-counts.js';
import { assertFresh, maxRevocationAge } from '../revocation/require-fresh.js';
import { Revocations } from '../revocation/revocations.js';
import type { Principal } from '../token/principal.js';
import type { CallKind } from './calls/call-kind.js';
import { CallKinds } from './calls/call-kinds.js';
import { setCaller } from './calls/caller.js';
import { LiveStreams } from './streams/live-streams.js';
import type { OpenResponse } from './streams/live-streams.js';

/** What the decorators say about a handler. */
interface Declared {
  readonly access: Access;
  readonly maxAge: number | undefined;
  /** Whether it answers with server-sent events, for as long as somebody listens. */
  readonly streams: boolean;
}

/** What `@Sse()` leaves on a handler; Nest keeps the name to itself. */
const SSE_METADATA = '__sse__';

/**
 * Stands in front of every handler of the application. Authentication and the decision about access
 * happen here, in this order, in one place: no order of decorators can part them.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly logger = new Logger('AuthGuard');
  private readonly unknownTypes = new Set<string>();
  private readonly declared = new WeakMap<object, WeakMap<object, Declared>>();
  /** Calls that are decided already: on some this guard stands twice. */
  private readonly admitted = new WeakSet<ExecutionContext>();

  constructor(
    private readonly kinds: CallKinds,
    private readonly revocations: Revocations,
    private readonly counts: CallCounts,
    private readonly liveStreams: LiveStreams,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const type = context.getType<string>();
    const kind = this.kinds.get(type);
    if (!kind) return this.denyUnknown(type);
    try {
      const declared = this.declaredOn(context);
      if (!declared) throw new AuthError('access_undeclared');
      if (declared.access.kind === 'public' && !declared.access.token) return true;
      if (type !== 'http' && this.admitted.has(context)) return true;
      const principal = kind.authenticate(context);
      if (!(principal instanceof Promise)) return this.enter(context, principal, declared);
      return principal
        .then((verified) => this.enter(context, verified, declared))
        .catch((error: unknown) => this.refuse(context, kind, error));
    } catch (error) {
      return this.refuse(context, kind, error);
    }
  }

  private denyUnknown(type: string): false {
    if (!this.unknownTypes.has(type)) {
      this.unknownTypes.add(type);
      this.logger.warn(`Calls of a kind that the guard does not know are denied: ${type}.`);
    }
    return false;
  }

  private declaredOn(context: ExecutionContext): Declared | undefined {
    const type = context.getClass();
    const handler = context.getHandler();
    const known = this.declared.get(type)?.get(handler);
    if (known) return known;
    const access = accessOf(type, handler);
    if (!access) return undefined;
    const declared = {
      access,
      maxAge: maxRevocationAge(type, handler),
      streams: Reflect.getMetadata(SSE_METADATA, handler) === true,
    };
    const handlers = this.declared.get(type) ?? new WeakMap<object, Declared>();
    this.declared.set(type, handlers.set(handler, declared));
    return declared;
  }

  private enter(context: ExecutionContext, principal: Principal, declared: Declared): true {
    const { access, maxAge, streams } = declared;
    if (access.kind === 'token') assertAccess(principal, access);
    if (maxAge !== undefined) assertFresh(this.revocations.age(principal.issuer), maxAge);
    setCaller(context, principal);
    if (streams) {
      const response = context.switchToHttp().getResponse<OpenResponse>();
      this.liveStreams.cutOffWhenOver(principal, response);
    }
    this.counts.admitted(context.getType());
    if (context.getType() !== 'http') this.admitted.add(context);
    return true;
  }

  private refuse(context: ExecutionContext, kind: CallKind, error: unknown): true | Promise<never> {
    if (!(error instanceof AuthError)) throw error;
    const type = context.getType();
    if (this.isWelcomeAnyway(context, error)) {
      this.counts.anonymous(type);
      return true;
    }
    this.counts.refused(type, error.code);
    return kind.refuse(context, error);
  }

  /** On a public route: a call without a token, or with a bad one where that counts as none. */
  private isWelcomeAnyway(context: ExecutionContext, error: AuthError): boolean {
    const access = this.declaredOn(context)?.access;
    if (access?.kind !== 'public') return false;
    return (
      error.code === 'token_missing' ||
      (access.token === 'lenient' && error instanceof InvalidTokenError)
    );
  }
}
