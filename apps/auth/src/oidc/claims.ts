import { Injectable } from '@nestjs/common';
import { and, eq, isNull } from 'drizzle-orm';
import { errors } from 'oidc-provider';
import type { AccessToken, Account, ClientCredentials } from 'oidc-provider';
import { users } from '../schema.js';
import { SessionStore } from '../sessions/session-store.js';
import { USERINFO } from './audiences.js';
import { EXCHANGED } from './token-exchange.js';
import { UnitOfWork } from './unit-of-work.js';

/** What tokens say of the user and of the login, read afresh each time one is issued. */
@Injectable()
export class Claims {
  constructor(
    private readonly unit: UnitOfWork,
    private readonly sessions: SessionStore,
  ) {}

  /** The account behind `sub`, unless it has been disabled. */
  async account(userId: string): Promise<Account | undefined> {
    const [user] = await this.unit.read((executor) =>
      executor
        .select({ id: users.id, email: users.email })
        .from(users)
        .where(and(eq(users.id, userId), isNull(users.disabledAt))),
    );
    return user && { accountId: user.id, claims: () => ({ sub: user.id, email: user.email }) };
  }

  /**
   * The claims of an access token beyond those of RFC 9068 section 2.2 that the engine writes itself.
   *
   * @throws {errors.InvalidGrant} when the login has ended meanwhile
   * @throws {errors.InvalidScope} when a service would get a token that opens nothing
   */
  async ofAccessToken(token: AccessToken | ClientCredentials): Promise<Record<string, unknown>> {
    if (token.kind === 'ClientCredentials') {
      if (token.scope) return { roles: [] };
      throw new errors.InvalidScope('name at least one scope of the resource', '');
    }
    const sid = token.grantId;
    const session = await this.unit.write((transaction) => this.sessions.touch(transaction, sid));
    if (!session) throw new errors.InvalidGrant({ detail: 'the session has ended' });
    const { acr, amr, authenticatedAt } = session;
    return {
      sid,
      // Who only wants to know who the user is gets nothing that opens a service.
      roles: token.aud === USERINFO ? [] : session.roles,
      acr,
      amr,
      auth_time: Math.floor(authenticatedAt.getTime() / 1000),
      ...(token.gty === EXCHANGED && { act: { sub: token.clientId } }),
    };
  }
}
