import { Injectable } from '@nestjs/common';
import { and, eq, isNull, sql } from 'drizzle-orm';
import { errors } from 'oidc-provider';
import type { AccessToken, Account, ClientCredentials } from 'oidc-provider';
import { ConfiguredClients } from '../clients/configured-clients.js';
import { RevocationLog } from '../revocations/revocation-log.js';
import { clients, users } from '../schema.js';
import { SessionStore } from '../sessions/session-store.js';
import type { SessionInUse } from '../sessions/session-store.js';
import { Statement } from '../statement.js';
import { USERINFO } from './audiences.js';
import { EXCHANGED } from './token-exchange.js';
import { UnitOfWork } from './unit-of-work.js';

/** What the engine wants to know of an account. */
const account = { id: users.id, email: users.email };

interface KnownAccount {
  id: string;
  email: string;
}

/** What tokens say of the user and of the login, read afresh each time one is issued. */
@Injectable()
export class Claims {
  /** By the database's clock, read together with what the token says. */
  private readonly issueTimes = new WeakMap<AccessToken | ClientCredentials, number>();

  /**
   * Whoever disables the client has been waited for, or waits until the time is read and makes the
   * token void: the time is read while the row is held, which is for this statement.
   */
  private readonly issuing = new Statement<{ clientId: string }, { disabled: boolean; at: string }>(
    'issue_to_client',
    () => sql`
      with held as materialized (
        select ${clients.id} as id, ${clients.disabledAt} as disabled_at from ${clients}
        where ${clients.id} = ${sql.placeholder('clientId')} for share
      )
      select disabled_at is not null as disabled, ${this.revocations.issueTime({ clientId: sql`held.id` })} as at
      from held`,
  );

  constructor(
    private readonly unit: UnitOfWork,
    private readonly sessions: SessionStore,
    private readonly revocations: RevocationLog,
    private readonly configured: ConfiguredClients,
  ) {}

  /** The account behind `sub`, unless it has been disabled. */
  async account(userId: string): Promise<Account | undefined> {
    const known = this.unit.take(`account ${userId}`) as KnownAccount | undefined;
    const user = known ?? (await this.read(userId));
    return user && { accountId: user.id, claims: () => ({ sub: user.id, email: user.email }) };
  }

  /**
   * The claims of an access token beyond those of RFC 9068 section 2.2 that the engine writes itself.
   *
   * @throws {errors.InvalidGrant} when the login has ended meanwhile
   * @throws {errors.InvalidScope} when a service would get a token that opens nothing
   */
  async ofAccessToken(token: AccessToken | ClientCredentials): Promise<Record<string, unknown>> {
    if (token.kind === 'ClientCredentials') return this.ofClient(token);
    const { grantId: sid, clientId = '' } = token;
    const isExchanged = token.gty === EXCHANGED;
    const known = this.unit.take(`session ${sid}`) as SessionInUse | undefined;
    const session =
      known ??
      (await this.unit.write((transaction) =>
        this.sessions.forToken(transaction, { sid, clientId, lasts: !isExchanged }),
      ));
    if (!session) throw new errors.InvalidGrant({ detail: 'the session has ended' });
    const { acr, amr, authenticatedAt, issuedAt } = session;
    this.issueTimes.set(token, issuedAt);
    return {
      sid,
      // Who only wants to know who the user is gets nothing that opens a service.
      roles: token.aud === USERINFO ? [] : session.roles,
      acr,
      amr,
      auth_time: Math.floor(authenticatedAt.getTime() / 1000),
      ...(isExchanged && { act: { sub: token.clientId } }),
    };
  }

  /**
   * Puts in the time at which what the token says was so. The engine's own is a little off: an old role
   * could be read before a change, and dated after it.
   */
  dateAccessToken(token: AccessToken | ClientCredentials, payload: Record<string, unknown>): void {
    const issuedAt = this.issueTimes.get(token);
    if (issuedAt === undefined) throw new Error('a token whose claims nobody has read');
    const lifetime = Number(payload.exp) - Number(payload.iat);
    Object.assign(payload, { iat: issuedAt, exp: issuedAt + lifetime });
  }

  private async read(userId: string): Promise<KnownAccount | undefined> {
    const [user] = await this.unit.read((executor) =>
      executor
        .select(account)
        .from(users)
        .where(and(eq(users.id, userId), isNull(users.disabledAt))),
    );
    return user;
  }

  private async ofClient(token: ClientCredentials): Promise<Record<string, unknown>> {
    const { clientId, scope } = token;
    if (!scope || clientId === undefined) {
      throw new errors.InvalidScope('name at least one scope of the resource', '');
    }
    this.issueTimes.set(token, await this.issueTimeFor(clientId));
    return { roles: [] };
  }

  private async issueTimeFor(clientId: string): Promise<number> {
    // No row, so it is never disabled: nothing makes tokens void that have been issued by now.
    if (this.configured.find(clientId)) return Math.floor(Date.now() / 1000);
    const [client] = await this.unit.read((executor) => this.issuing.run(executor, { clientId }));
    if (!client || client.disabled) throw new errors.InvalidClient('the client is disabled');
    return Number(client.at);
  }
}
