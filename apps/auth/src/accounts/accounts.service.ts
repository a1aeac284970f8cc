import { HttpStatus, Injectable } from '@nestjs/common';
import { AuditLog, InjectDatabase } from '@signet/database';
import type { Actor, Database, Transaction } from '@signet/database';
import { Problem } from '@signet/http';
import { and, eq, isNull } from 'drizzle-orm';
import type { AuditAction } from '../audit/audit-actions.js';
import { users } from '../schema.js';
import { SessionStore } from '../sessions/session-store.js';
import { isGuessable } from './guessable-passwords.js';
import { PasswordHasher } from './password-hasher.js';
import type { Role } from './roles.js';

export type User = typeof users.$inferSelect;

export interface Credentials {
  email: string;
  password: string;
}

/** An operator's password comes with the configuration, and is taken as it is. */
type Chooser = 'user' | 'operator';

/** Who has an account, and the password that proves it. */
@Injectable()
export class AccountsService {
  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly hasher: PasswordHasher,
    private readonly sessions: SessionStore,
    private readonly audit: AuditLog<AuditAction>,
  ) {}

  async find(id: string): Promise<User | undefined> {
    const [user] = await this.database.select().from(users).where(eq(users.id, id));
    return user;
  }

  async findByEmail(email: string): Promise<User | undefined> {
    const [user] = await this.database.select().from(users).where(eq(users.email, email));
    return user;
  }

  /**
   * @returns undefined when the address has an account already
   * @throws {Problem} 422 `password_too_weak`
   */
  async create(
    credentials: Credentials,
    roles: Role[],
    chosenBy: Chooser = 'user',
  ): Promise<User | undefined> {
    const passwordHash = await this.hashNew(credentials, chosenBy);
    const [user] = await this.database
      .insert(users)
      .values({ email: credentials.email, ...hashes(passwordHash, chosenBy), roles })
      .onConflictDoNothing()
      .returning();
    return user;
  }

  /**
   * The account that these credentials open. An unknown address, a wrong password and a disabled
   * account are answered alike and take the same work.
   */
  async authenticate({ email, password }: Credentials): Promise<User | undefined> {
    const user = await this.findByEmail(email);
    const matches = await this.hasher.verify(user?.passwordHash, password);
    return matches && user?.disabledAt === null ? user : undefined;
  }

  /**
   * Sets a new password and ends the user's sessions, `except` one.
   *
   * @throws {Problem} 422 `password_too_weak`
   */
  async setPassword(
    user: User,
    password: string,
    {
      actor,
      except,
      chosenBy = 'user',
    }: { actor: Actor; except?: string | undefined; chosenBy?: Chooser },
  ): Promise<void> {
    const passwordHash = await this.hashNew({ email: user.email, password }, chosenBy);
    await this.database.transaction(async (transaction) => {
      await transaction
        .update(users)
        .set(hashes(passwordHash, chosenBy))
        .where(eq(users.id, user.id));
      await this.sessions.endAllOf(transaction, user.id, {
        ...{ ending: 'password_changed', actor },
        ...(except !== undefined && { except }),
      });
      const action = 'user.password_changed';
      await this.audit.record(transaction, { action, actor, subject: user.id });
    });
  }

  /**
   * Keeps the account as it was authenticated until the transaction ends: whoever disables it or sets
   * its password waits, and then finds the session that was begun here.
   *
   * @returns false when one of the two happened since
   */
  async hold(transaction: Transaction, { id, passwordHash }: User): Promise<boolean> {
    const [held] = await transaction
      .select({ id: users.id })
      .from(users)
      .where(and(eq(users.id, id), eq(users.passwordHash, passwordHash), isNull(users.disabledAt)))
      .for('share');
    return held !== undefined;
  }

  private async hashNew({ email, password }: Credentials, chosenBy: Chooser): Promise<string> {
    if (chosenBy === 'operator' || !(await isGuessable(email, password))) {
      return this.hasher.hash(password);
    }
    throw new Problem({
      status: HttpStatus.UNPROCESSABLE_ENTITY,
      code: 'password_too_weak',
      detail: 'password: expected one that is not among the first that are guessed.',
    });
  }
}

function hashes(passwordHash: string, chosenBy: Chooser): Partial<User> & { passwordHash: string } {
  return { passwordHash, ...(chosenBy === 'operator' && { seedPasswordHash: passwordHash }) };
}
