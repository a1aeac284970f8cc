import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { InvalidTokenError, Refusals } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { InjectDatabase } from '@signet/database';
import type { Database } from '@signet/database';
import { SessionStore } from './session-store.js';
import type { LiveSession } from './session-store.js';

/**
 * Here, where sessions are kept, a token ends with its session and with a change of its roles, not
 * only when it expires. Runs after the guard that verifies tokens, on routes that ask for one.
 */
@Injectable()
export class LiveSessionGuard implements CanActivate {
  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly sessions: SessionStore,
    private readonly refusals: Refusals,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { user } = context.switchToHttp().getRequest<{ user?: Principal }>();
    if (!user) return true;
    const session =
      user.sessionId === undefined
        ? undefined
        : await this.sessions.find(this.database, user.sessionId);
    if (session && stillTrue(user, session)) return true;
    const detail = session
      ? 'Your roles have changed. Refresh the token.'
      : 'The session has ended.';
    return this.refusals.refuse(context, new InvalidTokenError('token_revoked', { detail }));
  }
}

function stillTrue(user: Principal, session: LiveSession): boolean {
  return (
    user.subject === session.userId &&
    user.roles.length === session.roles.length &&
    session.roles.every((role) => user.roles.includes(role))
  );
}
