import { Injectable } from '@nestjs/common';
import { AuditLog, InjectDatabase } from '@signet/database';
import type { Actor, Database } from '@signet/database';
import type { Principal } from '@signet/auth-guard';
import { decodeCursor, notFound, toPage } from '@signet/http';
import type { Page } from '@signet/http';
import { and, desc, eq, sql } from 'drizzle-orm';
import type { AuditAction } from '../audit/audit-actions.js';
import { position } from '../position.js';
import { sessions } from '../schema.js';
import type { Ending } from './endings.js';
import { isLive, SessionStore } from './session-store.js';
import { sessionId } from './session.schema.js';
import type { Session, SessionQuery } from './session.schema.js';

const newestFirst = position(sessionId);

/** What a user sees of their sessions, and how they end them. */
@Injectable()
export class SessionsService {
  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly store: SessionStore,
    private readonly audit: AuditLog<AuditAction>,
  ) {}

  /**
   * The live sessions of a user, the newest first.
   *
   * @param current the session that asks, if it is one of them
   */
  async list(
    userId: string,
    { limit, cursor }: SessionQuery,
    current?: string,
  ): Promise<Page<Session>> {
    const after = decodeCursor(cursor, newestFirst);
    const rows = await this.database
      .select()
      .from(sessions)
      .where(
        and(
          eq(sessions.userId, userId),
          isLive,
          after &&
            sql`(${sessions.createdAt}, ${sessions.sid}) < (${after[0]}::timestamptz, ${after[1]})`,
        ),
      )
      .orderBy(desc(sessions.createdAt), desc(sessions.sid))
      .limit(limit + 1);
    const page = toPage(rows, limit, (row) => [row.createdAt.toISOString(), row.sid]);
    return { ...page, items: page.items.map((row) => toSession(row, current)) };
  }

  /** @throws {Problem} 404 when the session is not this user's, or has ended */
  async endOne(user: Principal, sid: string): Promise<void> {
    await this.assertLive(user.subject, sid);
    await this.end(sid, sid === user.sessionId ? 'logout' : 'ended_by_user');
  }

  /** @throws {Problem} 404 when the session is not this user's, or has ended */
  async endForUser(userId: string, sid: string, actor: Actor): Promise<void> {
    await this.assertLive(userId, sid);
    await this.database.transaction(async (transaction) => {
      await this.store.end(transaction, [sid], 'ended_by_admin', actor);
      const entry = { actor, subject: sid, details: { user: userId } };
      await this.audit.record(transaction, { action: 'session.ended', ...entry });
    });
  }

  async end(sid: string, ending: Ending): Promise<void> {
    await this.database.transaction((transaction) => this.store.end(transaction, [sid], ending));
  }

  async endAll(userId: string, ending: Ending): Promise<void> {
    await this.database.transaction((transaction) =>
      this.store.endAllOf(transaction, userId, { ending }),
    );
  }

  private async assertLive(userId: string, sid: string): Promise<void> {
    const [session] = await this.database
      .select({ sid: sessions.sid })
      .from(sessions)
      .where(and(eq(sessions.sid, sid), eq(sessions.userId, userId), isLive));
    if (!session) throw notFound('session');
  }
}

function toSession(row: typeof sessions.$inferSelect, current: string | undefined): Session {
  return {
    id: row.sid,
    clientId: row.clientId,
    userAgent: row.userAgent,
    address: row.address,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    current: row.sid === current,
  };
}
