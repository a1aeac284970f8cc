import { HttpStatus, Injectable } from '@nestjs/common';
import { AuditLog, InjectDatabase } from '@signet/database';
import type { Actor, Database, Transaction } from '@signet/database';
import { decodeCursor, notFound, Problem, toPage } from '@signet/http';
import type { Page } from '@signet/http';
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { AuditAction } from '../audit/audit-actions.js';
import { position } from '../position.js';
import { users } from '../schema.js';
import { SessionStore } from '../sessions/session-store.js';
import { userId } from './account.schema.js';
import type { UserQuery, UserView } from './account.schema.js';
import type { User } from './accounts.service.js';
import type { Role } from './roles.js';

const oldestFirst = position(userId);

/** As the index `users_admins` has it. */
const isAdmin = and(sql`${users.roles} @> array['admin']`, isNull(users.disabledAt));

/** What administrators do with other people's accounts. */
@Injectable()
export class UserAdministrationService {
  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly sessions: SessionStore,
    private readonly audit: AuditLog<AuditAction>,
  ) {}

  /** Accounts, the oldest first. */
  async list({ limit, cursor, email }: UserQuery): Promise<Page<UserView>> {
    const after = decodeCursor(cursor, oldestFirst);
    const rows = await this.database
      .select()
      .from(users)
      .where(
        and(
          email === undefined ? undefined : sql`strpos(${users.email}, ${email}) > 0`,
          after &&
            sql`(${users.createdAt}, ${users.id}) > (${after[0]}::timestamptz, ${after[1]}::uuid)`,
        ),
      )
      .orderBy(users.createdAt, users.id)
      .limit(limit + 1);
    return toPage(rows.map(toView), limit, (row) => [row.createdAt, row.id]);
  }

  /** @throws {Problem} 404 */
  async read(id: string): Promise<UserView> {
    const [user] = await this.database.select().from(users).where(eq(users.id, id));
    return found(user);
  }

  /**
   * The access tokens that the user has are void from now on; refreshed, they have the new roles.
   *
   * @throws {Problem} 404, 409 `last_admin`
   */
  setRoles(id: string, roles: Role[], actor: Actor): Promise<UserView> {
    return this.keepingAnAdmin(async (transaction) => {
      const before = found(await lock(transaction, id));
      const [user] = await transaction
        .update(users)
        .set({ roles })
        .where(eq(users.id, id))
        .returning();
      await this.sessions.outdateTokensOf(transaction, id, actor);
      const details = { before: before.roles, after: roles };
      await this.audit.record(transaction, {
        action: 'user.roles_changed',
        actor,
        subject: id,
        details,
      });
      return found(user);
    });
  }

  /**
   * Closes the account and ends its sessions.
   *
   * @throws {Problem} 404, 409 `last_admin`
   */
  disable(id: string, actor: Actor): Promise<UserView> {
    return this.keepingAnAdmin(async (transaction) => {
      const [user] = await transaction
        .update(users)
        .set({ disabledAt: sql`coalesce(${users.disabledAt}, now())` })
        .where(eq(users.id, id))
        .returning();
      const view = found(user);
      await this.sessions.endAllOf(transaction, id, { ending: 'account_disabled', actor });
      await this.audit.record(transaction, { action: 'user.disabled', actor, subject: id });
      return view;
    });
  }

  /** @throws {Problem} 404 */
  enable(id: string, actor: Actor): Promise<UserView> {
    return this.database.transaction(async (transaction) => {
      const [user] = await transaction
        .update(users)
        .set({ disabledAt: null })
        .where(eq(users.id, id))
        .returning();
      const view = found(user);
      await this.audit.record(transaction, { action: 'user.enabled', actor, subject: id });
      return view;
    });
  }

  /** @throws {Problem} 404 */
  async endSessions(id: string, actor: Actor): Promise<void> {
    await this.database.transaction(async (transaction) => {
      found(await lock(transaction, id));
      await this.sessions.endAllOf(transaction, id, { ending: 'ended_by_admin', actor });
      await this.audit.record(transaction, { action: 'user.sessions_ended', actor, subject: id });
    });
  }

  /** Whoever may take the last administrator away goes one at a time. */
  private keepingAnAdmin<Result>(
    change: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    return this.database.transaction(async (transaction) => {
      const before = await transaction
        .select({ id: users.id })
        .from(users)
        .where(isAdmin)
        .orderBy(users.id)
        .for('update');
      const result = await change(transaction);
      const [after] = await transaction
        .select({ id: users.id })
        .from(users)
        .where(isAdmin)
        .limit(1);
      if (after || before.length === 0) return result;
      throw new Problem({
        status: HttpStatus.CONFLICT,
        code: 'last_admin',
        detail: 'Nobody could administer the accounts any more. Make someone else an admin first.',
      });
    });
  }
}

async function lock(transaction: Transaction, id: string): Promise<User | undefined> {
  const [user] = await transaction.select().from(users).where(eq(users.id, id)).for('update');
  return user;
}

/** @throws {Problem} 404 */
function found(user: User | undefined): UserView {
  if (!user) throw notFound('user');
  return toView(user);
}

function toView({ id, email, roles, createdAt, disabledAt }: User): UserView {
  return {
    id,
    email,
    roles,
    createdAt: createdAt.toISOString(),
    disabledAt: disabledAt?.toISOString() ?? null,
  };
}
