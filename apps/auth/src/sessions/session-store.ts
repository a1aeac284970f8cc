import { Inject, Injectable } from '@nestjs/common';
import type { Database, Transaction } from '@signet/database';
import { and, eq, gt, inArray, isNull, ne, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { Role } from '../accounts/roles.js';
import type { AuditAction } from '../audit/audit-actions.js';
import { AuditLog, THE_SERVICE } from '../audit/audit-log.js';
import type { Actor } from '../audit/audit-log.js';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { grants, sessions, users } from '../schema.js';
import type { Ending } from './endings.js';

/** What a token says of the login that it belongs to. */
export interface LiveSession {
  userId: string;
  /** As of now, not as of the login. */
  roles: Role[];
  /** When the user proved who they are. */
  authenticatedAt: Date;
  acr: string;
  amr: string[];
}

export interface NewSession {
  sid: string;
  userId: string;
  clientId: string;
  acr: string;
  amr: string[];
  userAgent: string | undefined;
  address: string | undefined;
  /** The browser's sign-on that it is begun through. It ends with it. */
  signOn?: string;
  /** By default now. */
  authenticatedAt?: Date;
}

/** Not ended, not expired. Its user may be disabled. */
export const isLive: SQL | undefined = and(
  isNull(sessions.endedAt),
  gt(sessions.expiresAt, sql`now()`),
);

/** Endings of single sessions against their user's will. Those of all sessions have an entry already. */
const AUDITED: Partial<Record<Ending, AuditAction>> = {
  token_reuse: 'session.token_reused',
};

const liveSession = {
  userId: users.id,
  roles: users.roles,
  authenticatedAt: sessions.authenticatedAt,
  acr: sessions.acr,
  amr: sessions.amr,
};

/**
 * The rows of sessions. A session's `sid` is the id of the engine's grant: to end the one is to end the
 * other, and with it every token that can still be exchanged.
 *
 * Whoever changes several rows locks in one order: user, grant, engine record, session.
 */
@Injectable()
export class SessionStore {
  constructor(
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    private readonly audit: AuditLog,
  ) {}

  async begin(transaction: Transaction, session: NewSession): Promise<void> {
    await transaction.insert(sessions).values({ ...session, expiresAt: this.expiry(sql`now()`) });
  }

  /** The session, if it and its user's account are still good. */
  async find(executor: Database | Transaction, sid: string): Promise<LiveSession | undefined> {
    const [session] = await executor
      .select(liveSession)
      .from(sessions)
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(and(eq(sessions.sid, sid), isLive, isNull(users.disabledAt)));
    return session;
  }

  /** Notes that the session is used, and answers as `find` does. */
  async touch(transaction: Transaction, sid: string): Promise<LiveSession | undefined> {
    const [session] = await transaction
      .update(sessions)
      .set({ lastUsedAt: sql`now()`, expiresAt: this.expiry(sql`${sessions.createdAt}`) })
      .from(users)
      .where(
        and(eq(sessions.sid, sid), eq(users.id, sessions.userId), isLive, isNull(users.disabledAt)),
      )
      .returning(liveSession);
    return session;
  }

  /**
   * Ends these sessions and their grants. Those that have ended before keep their first ending.
   *
   * @param actor who caused it, for an ending that is told to administrators
   */
  async end(
    transaction: Transaction,
    sids: readonly string[],
    ending: Ending,
    actor: Actor = THE_SERVICE,
  ): Promise<void> {
    if (sids.length === 0) return;
    const theirGrants = inArray(grants.id, [...sids]);
    await transaction
      .select({ id: grants.id })
      .from(grants)
      .where(theirGrants)
      .orderBy(grants.id)
      .for('update');
    await transaction.delete(grants).where(theirGrants);
    const ended = await transaction
      .update(sessions)
      .set({ endedAt: sql`now()`, ending })
      .where(and(inArray(sessions.sid, [...sids]), isNull(sessions.endedAt)))
      .returning({ subject: sessions.sid, user: sessions.userId });
    const action = AUDITED[ending];
    if (!action) return;
    const entries = ended.map(({ subject, user }) => ({
      action,
      actor,
      subject,
      details: { user },
    }));
    await this.audit.record(transaction, ...entries);
  }

  /** Ends the user's sessions, all of them or all `except` one. */
  async endAllOf(
    transaction: Transaction,
    userId: string,
    { ending, except }: { ending: Ending; except?: string },
  ): Promise<void> {
    const live = await transaction
      .select({ sid: sessions.sid })
      .from(sessions)
      .where(
        and(
          eq(sessions.userId, userId),
          isNull(sessions.endedAt),
          except === undefined ? undefined : ne(sessions.sid, except),
        ),
      );
    await this.end(
      transaction,
      live.map(({ sid }) => sid),
      ending,
    );
  }

  /** Idle limit from now, absolute limit from `createdAt`: whichever comes first. */
  private expiry(createdAt: SQL): SQL {
    const { SIGNET_SESSION_IDLE_SECONDS: idle, SIGNET_SESSION_ABSOLUTE_SECONDS: absolute } =
      this.config;
    return sql`least(now() + make_interval(secs => ${idle}), ${createdAt} + make_interval(secs => ${absolute}))`;
  }
}
