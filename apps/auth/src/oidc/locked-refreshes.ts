import { Inject, Injectable } from '@nestjs/common';
import type { Actor, Transaction } from '@signet/database';
import { and, eq, isNotNull, isNull, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { errors } from 'oidc-provider';
import type { RefreshToken } from 'oidc-provider';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { engineRecords, grants, sessions } from '../schema.js';
import { use } from '../sessions/session-statements.js';
import { SessionStore } from '../sessions/session-store.js';
import { Statement } from '../statement.js';
import { sha256 } from './record-adapter.js';
import { keyFor, unseal } from './secret-box.js';
import { UnitOfWork } from './unit-of-work.js';

const MODEL = 'RefreshToken';

const { placeholder } = sql;

const isToken = sql`model = ${sql.raw(`'${MODEL}'`)} and hash = ${placeholder('hash')}`;

/** A token as it was before it was consumed. */
export interface Consumed {
  hash: string;
  sealedValue: string | null;
}

/** What can be said of a token while its grant is locked: it is used up now, or its successor is given again. */
export type Decision = { consumed: Consumed | undefined } | { successor: string };

/** Refresh tokens under the lock of their grant, so that what is decided stays true until all is written. */
@Injectable()
export class LockedRefreshes {
  /**
   * Locks the grant, consumes the token and holds the session. In one statement: the row of the token is
   * only reached through the locked one of its grant, and looked at afresh when someone has changed it
   * meanwhile.
   */
  private readonly consuming = new Statement<
    { sid: string; hash: string },
    { sealed_value: string | null; in_use: boolean }
  >(
    'consume_refresh_token',
    () => sql`
      with held as materialized (
        select id from ${grants} where id = ${placeholder('sid')} for update
      ), before as materialized (
        select sealed_value from ${engineRecords} where ${isToken}
      ), consumed as (
        update ${engineRecords} set consumed_at = now(), sealed_value = null
        from held, before
        where ${isToken} and grant_id = held.id and consumed_at is null
        returning before.sealed_value
      ), used as (
        update ${sessions} set ${use(this.config)}
        from consumed
        where sid = ${placeholder('sid')} and ending is null and expires_at > now()
        returning sid
      )
      select sealed_value, exists (select from used) as in_use from consumed`,
  );

  constructor(
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    private readonly unit: UnitOfWork,
    private readonly sessions: SessionStore,
  ) {}

  /**
   * Uses the token, if nobody has: consumes it when it `rotates`, and leaves it as it is otherwise.
   *
   * @throws {errors.InvalidGrant} when it was exchanged before; its family has ended then
   */
  use(
    token: RefreshToken,
    { rotates, requester }: { rotates: boolean; requester: Actor },
  ): Promise<Decision> {
    return this.unit.write(async (transaction) => {
      const consumed = rotates ? await this.exchange(transaction, token) : undefined;
      if (consumed || (!rotates && (await isUnused(transaction, token)))) return { consumed };
      // From here on it is a token that comes again, or one of a session that has ended.
      if (!(await lockGrant(transaction, token))) throw ended();
      const successor = await this.successorOf(transaction, token.jti);
      if (successor !== undefined) return { successor };
      await this.sessions.end(transaction, [grantOf(token)], 'token_reuse', requester);
      throw ended();
    });
  }

  /** As if the token had never been used. Its grant is still locked. */
  giveBack({ hash, sealedValue }: Consumed): Promise<void> {
    const isRefreshToken = eq(engineRecords.model, MODEL);
    return this.unit.write(async (transaction) => {
      await transaction
        .delete(engineRecords)
        .where(and(isRefreshToken, eq(engineRecords.parentHash, hash)));
      await transaction
        .update(engineRecords)
        .set({ consumedAt: null, sealedValue })
        .where(and(isRefreshToken, eq(engineRecords.hash, hash)));
    });
  }

  /**
   * Consumes the token, and reads what belongs into the next access token while nobody can change it.
   * Of any number of callers one succeeds, and from now on the token's own parent cannot come again.
   */
  private async exchange(
    transaction: Transaction,
    token: RefreshToken,
  ): Promise<Consumed | undefined> {
    const { jti, clientId = '' } = token;
    const sid = grantOf(token);
    const hash = sha256(jti);
    const [[consumed], session] = await Promise.all([
      this.consuming.run(transaction, { sid, hash }),
      this.sessions.readHeld(transaction, { sid, clientId }),
    ]);
    if (consumed?.in_use) this.unit.offer(`session ${sid}`, session);
    return consumed && { hash, sealedValue: consumed.sealed_value };
  }

  /** The token that `parent` was exchanged for, while it may be given out again. */
  private async successorOf(transaction: Transaction, parent: string): Promise<string | undefined> {
    const exchanged = alias(engineRecords, 'exchanged');
    const grace = this.config.SIGNET_REFRESH_GRACE_SECONDS;
    const [successor] = await transaction
      .select({ sealedValue: engineRecords.sealedValue })
      .from(engineRecords)
      .innerJoin(
        exchanged,
        and(
          eq(exchanged.model, engineRecords.model),
          eq(exchanged.hash, engineRecords.parentHash),
          sql`${exchanged.consumedAt} > now() - make_interval(secs => ${grace})`,
        ),
      )
      .where(
        and(
          eq(engineRecords.parentHash, sha256(parent)),
          isNull(engineRecords.consumedAt),
          isNotNull(engineRecords.sealedValue),
        ),
      );
    return successor?.sealedValue ? unseal(successorKey(parent), successor.sealedValue) : undefined;
  }
}

/** Over the value of the token that `parent` is exchanged for: no row holds what it is derived from. */
export function successorKey(parent: string): Uint8Array {
  return keyFor('refresh token successor', parent);
}

async function lockGrant(transaction: Transaction, token: RefreshToken): Promise<boolean> {
  const locked = await transaction
    .select({ id: grants.id })
    .from(grants)
    .where(eq(grants.id, grantOf(token)))
    .for('update');
  return locked.length === 1;
}

async function isUnused(transaction: Transaction, token: RefreshToken): Promise<boolean> {
  const found = await transaction
    .select({ hash: engineRecords.hash })
    .from(engineRecords)
    .where(unused(token));
  return found.length === 1;
}

function unused({ jti }: RefreshToken) {
  return and(
    eq(engineRecords.model, MODEL),
    eq(engineRecords.hash, sha256(jti)),
    isNull(engineRecords.consumedAt),
  );
}

export function grantOf({ grantId }: RefreshToken): string {
  if (grantId === undefined) throw new Error('a refresh token without a grant');
  return grantId;
}

function ended() {
  return new errors.InvalidGrant({
    detail: 'the token was exchanged before, or its session ended',
  });
}
