import { Inject, Injectable } from '@nestjs/common';
import { AuditLog, THE_SERVICE } from '@signet/database';
import type { Actor, Database, Transaction } from '@signet/database';
import { and, eq, gt, isNull, ne, sql } from 'drizzle-orm';
import type { SQL, SQLWrapper } from 'drizzle-orm';
import type { Role } from '../accounts/roles.js';
import type { AuditAction } from '../audit/audit-actions.js';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { LogoutNotices } from '../oidc/logout-notices.js';
import { RevocationLog } from '../revocations/revocation-log.js';
import { grants, sessions, users } from '../schema.js';
import { BY_ITS_USER, KNOWN_TO_THE_CLIENT } from './endings.js';
import type { Ending } from './endings.js';
import { expiry, inUse, sessionStatements } from './session-statements.js';

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

/** A session for which a token is about to be issued. */
export interface SessionInUse extends LiveSession {
  /** The token's `iat`. */
  issuedAt: number;
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

/** Endings that nobody asked for. What somebody asked for is told where they do. */
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
  private readonly statements: ReturnType<typeof sessionStatements>;

  constructor(
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    private readonly audit: AuditLog<AuditAction>,
    private readonly revocations: RevocationLog,
    private readonly notices: LogoutNotices,
  ) {
    this.statements = sessionStatements(config, revocations);
  }

  async begin(transaction: Transaction, session: NewSession): Promise<void> {
    await transaction
      .insert(sessions)
      .values({ ...session, expiresAt: expiry(this.config, sql`now()`) });
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
      .set(this.use())
      .from(users)
      .where(
        and(eq(sessions.sid, sid), eq(users.id, sessions.userId), isLive, isNull(users.disabledAt)),
      )
      .returning(liveSession);
    return session;
  }

  /**
   * What belongs into a token that is issued now, if the session and its user's account are still good.
   * Holds the session's row until the transaction ends: whoever changes the user's roles waits for the
   * token, and makes it void, or has been waited for.
   *
   * @param clientId that the token is issued to, which need not be the session's
   * @param lasts whether the session lasts longer for it
   */
  async forToken(
    transaction: Transaction,
    { sid, clientId, lasts }: { sid: string; clientId: string; lasts: boolean },
  ): Promise<SessionInUse | undefined> {
    const hold = lasts ? this.statements.use : this.statements.hold;
    // Two statements: the view of one alone would be from before it waited for the row.
    const [held, session] = await Promise.all([
      hold.run(transaction, { sid }),
      this.readHeld(transaction, { sid, clientId }),
    ]);
    return held.length > 0 ? session : undefined;
  }

  /** As `forToken`, of a live session whose row the transaction holds already. */
  async readHeld(
    transaction: Transaction,
    { sid, clientId }: { sid: string; clientId: string },
  ): Promise<SessionInUse | undefined> {
    const [session] = await this.statements.read.run(transaction, { sid, clientId });
    return session && inUse(session);
  }

  /**
   * Makes the access tokens void that the user has by now, because what they say is not so any more.
   * The sessions go on. The user's row must have been changed by the same transaction.
   */
  async outdateTokensOf(transaction: Transaction, userId: string, actor: Actor): Promise<void> {
    const live = await transaction
      .select({ sid: sessions.sid })
      .from(sessions)
      .where(and(eq(sessions.userId, userId), isNull(sessions.endedAt)))
      .orderBy(sessions.sid)
      .for('update');
    const sids = live.map(({ sid }) => sid);
    // Nothing of them changes but their rows' versions, by which a token that is being made from them is known.
    await transaction
      .update(sessions)
      .set({ lastUsedAt: sql`${sessions.lastUsedAt}` })
      .where(isOneOf(sessions.sid, sids));
    await this.revocations.record(transaction, {
      kind: 'session',
      ids: sids,
      cause: 'roles_changed',
      actor: actor.id,
      concerns: 'issued',
    });
  }

  /**
   * Ends these sessions and their grants, makes their access tokens void, and tells the clients that
   * want to know. Those that have ended before keep their first ending.
   *
   * @param actor who caused it, when it was not the user
   */
  async end(
    transaction: Transaction,
    sids: readonly string[],
    ending: Ending,
    actor: Actor = THE_SERVICE,
  ): Promise<void> {
    if (sids.length === 0) return;
    const theirGrants = isOneOf(grants.id, sids);
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
      .where(and(isOneOf(sessions.sid, sids), isNull(sessions.endedAt)))
      .returning({
        subject: sessions.sid,
        user: sessions.userId,
        clientId: sessions.clientId,
      });
    await this.revocations.record(transaction, {
      kind: 'session',
      ids: ended.map(({ subject }) => subject),
      cause: ending,
      actor: actor.id ?? (BY_ITS_USER.has(ending) ? (ended[0]?.user ?? null) : null),
      concerns: 'all',
    });
    if (!KNOWN_TO_THE_CLIENT.has(ending)) {
      const concerned = ended.map(({ subject: sid, user: userId, clientId }) => ({
        sid,
        userId,
        clientId,
      }));
      await this.notices.announce(transaction, concerned);
    }
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
    { ending, except, actor }: { ending: Ending; except?: string; actor?: Actor },
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
      actor,
    );
  }

  private use() {
    return { lastUsedAt: sql`now()`, expiresAt: expiry(this.config, sessions.createdAt) };
  }
}

/** One parameter however many there are: a statement can have 65,535. */
function isOneOf(column: SQLWrapper, values: readonly string[]): SQL {
  return sql`${column} = any(${sql.param([...values])})`;
}
