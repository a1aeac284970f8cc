import { Inject, Injectable } from '@nestjs/common';
import type { Transaction } from '@signet/database';
import { and, eq, isNotNull, isNull, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { errors } from 'oidc-provider';
import type { KoaContextWithOIDC, RefreshToken } from 'oidc-provider';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { engineRecords, grants, sessions } from '../schema.js';
import { inUse, use } from '../sessions/session-statements.js';
import { SessionStore } from '../sessions/session-store.js';
import { Statement } from '../statement.js';
import { sha256 } from './record-adapter.js';
import { storeSuccessor } from './record-statements.js';
import type { NewRecord } from './record-statements.js';
import { RefreshBatches } from './refresh-batches.js';
import type { FoundRefreshToken } from './refresh-statements.js';
import { requester } from './requester.js';
import { keyFor, unseal } from './secret-box.js';
import { UnitOfWork } from './unit-of-work.js';

const MODEL = 'RefreshToken';

const { placeholder } = sql;

const isToken = sql`model = ${sql.raw(`'${MODEL}'`)} and hash = ${placeholder('hash')}`;

/** A token as it was before it was consumed. */
interface Consumed {
  hash: string;
  sealedValue: string | null;
}

/** A token that is exchanged once the access token has been signed, if all is still as it was read. */
interface Intended {
  token: RefreshToken;
  /** Of the session's row that the access token is made from. */
  version: string;
  successor?: NewRecord;
}

/** What becomes of the refresh token of a request: it is consumed, or its successor is given again. */
interface Outcome {
  intended?: Intended;
  consumed?: Consumed | undefined;
  successor?: string;
}

/**
 * What happens to a refresh token that is used. Public clients' tokens are exchanged for the next one
 * (RFC 9700 section 4.14.2); confidential clients keep theirs, which is worth nothing without their
 * own credentials.
 *
 * A token that comes again was stolen, or its answer was lost. It is taken for lost only if it is the
 * immediate parent of a token that nobody has used, a few seconds after the exchange: then it is
 * answered with that same token. Otherwise the family ends.
 */
@Injectable()
export class RefreshRotation {
  private readonly outcomes = new WeakMap<KoaContextWithOIDC, Outcome>();

  /**
   * Locks the grant, consumes the token and holds the session. One statement, since this is what every
   * refresh waits for: the row of the token is only reached through the locked one of its grant, and
   * looked at afresh when someone has changed it meanwhile.
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
    private readonly batches: RefreshBatches,
  ) {}

  /** The token with this hash, with all that is asked for to exchange it. */
  async find(hash: string): Promise<FoundRefreshToken | undefined> {
    const found = this.unit.isOpen
      ? await this.unit.read((executor) => this.batches.findOn(executor, hash))
      : await this.batches.find(hash);
    if (found?.consumed === null) this.unit.offer(`refresh token ${hash}`, found);
    return found;
  }

  /**
   * The engine's question, after it has checked everything else about the request, whether to exchange
   * the token. All that this takes has been read: it is written once the access token has been signed, if
   * nothing has changed meanwhile (`complete`). Otherwise everything is looked at under locks.
   *
   * @throws {errors.InvalidGrant} when the token was exchanged before; its family has ended then
   */
  async decide(context: KoaContextWithOIDC): Promise<boolean> {
    const { RefreshToken: token, Client: client } = context.oidc.entities;
    if (!token || !client) throw new Error('the engine has not loaded the refresh token');
    const rotates = client.clientAuthMethod === 'none';
    const intended = rotates ? this.intend(token) : undefined;
    if (!intended) return this.decideLocked(context, { token, rotates });
    this.outcomes.set(context, { intended });
    return true;
  }

  /** Stores the token that the one of the request is exchanged for. */
  async store(context: KoaContextWithOIDC, successor: NewRecord): Promise<void> {
    const intended = this.outcomes.get(context)?.intended;
    if (intended) intended.successor = successor;
    // The grant is held, and there is no other successor.
    else await this.unit.writeLast((transaction) => storeSuccessor.run(transaction, successor));
  }

  /**
   * Exchanges the token, now that the access token has been signed and nothing else can be refused.
   *
   * @returns whether that access token may be handed out; otherwise another one must be made, of what is so now
   * @throws {errors.InvalidGrant} as `decide`
   */
  async complete(context: KoaContextWithOIDC): Promise<boolean> {
    const intended = this.outcomes.get(context)?.intended;
    if (!intended?.successor) return true;
    const { token, version, successor } = intended;
    const { hash, sealedValue, payload, expiresAt } = successor;
    const isExchanged = await this.batches.exchange({
      ...{ sid: grantOf(token), version, hash: sha256(token.jti) },
      ...{ successor: hash, sealedValue, payload, expiresAt },
    });
    if (isExchanged) return true;
    // Somebody else was here, or is. What that comes to, whoever holds the locks can say.
    if (await this.decideLocked(context, { token, rotates: true })) {
      await this.store(context, successor);
    }
    return false;
  }

  /** Unless something has to be written before, or an ID token has to be signed after. */
  private intend(token: RefreshToken): Intended | undefined {
    const found = this.unit.take(`refresh token ${sha256(token.jti)}`) as
      FoundRefreshToken | undefined;
    const { version, user_id } = found ?? {};
    if (!found || !version || !user_id) return undefined;
    if (this.unit.isOpen || token.scopes.has('openid')) return undefined;
    this.unit.offer(`session ${grantOf(token)}`, inUse({ ...found, user_id }));
    return { token, version };
  }

  /**
   * Decides under the lock of the grant, and consumes the token there, so that what is decided stays
   * true until all is written.
   */
  private decideLocked(
    context: KoaContextWithOIDC,
    { token, rotates }: { token: RefreshToken; rotates: boolean },
  ): Promise<boolean> {
    return this.unit.write(async (transaction) => {
      const consumed = rotates ? await this.exchange(transaction, token) : undefined;
      if (consumed || (!rotates && (await isUnused(transaction, token)))) {
        this.outcomes.set(context, { consumed });
        return rotates;
      }
      // From here on it is a token that comes again, or one of a session that has ended.
      if (!(await lockGrant(transaction, token))) throw ended();
      const successor = await this.successorOf(transaction, token.jti);
      if (successor === undefined) {
        await this.sessions.end(transaction, [grantOf(token)], 'token_reuse', requester(context));
        throw ended();
      }
      this.outcomes.set(context, { successor });
      return false;
    });
  }

  /** Whether the token of this request was consumed by `decide`. */
  hasDecided(context: KoaContextWithOIDC | undefined): boolean {
    return context !== undefined && this.outcomes.has(context);
  }

  /** Middleware of the engine, inside the unit of work. */
  readonly deliver = async (
    context: KoaContextWithOIDC,
    next: () => Promise<void>,
  ): Promise<void> => {
    await next();
    const outcome = this.outcomes.get(context);
    if (!outcome) return;
    if (context.status >= 400) {
      // A request that gets no tokens, for asking for too much perhaps, must not cost the one it has.
      const { consumed } = outcome;
      if (consumed) await this.unit.write((transaction) => restore(transaction, consumed));
    } else if (outcome.successor !== undefined) {
      Object.assign(context.body as object, { refresh_token: outcome.successor });
    }
  };

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

/** As if the token had never been used. Its grant is still locked. */
async function restore(transaction: Transaction, { hash, sealedValue }: Consumed): Promise<void> {
  const isRefreshToken = eq(engineRecords.model, MODEL);
  await transaction
    .delete(engineRecords)
    .where(and(isRefreshToken, eq(engineRecords.parentHash, hash)));
  await transaction
    .update(engineRecords)
    .set({ consumedAt: null, sealedValue })
    .where(and(isRefreshToken, eq(engineRecords.hash, hash)));
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

function grantOf({ grantId }: RefreshToken): string {
  if (grantId === undefined) throw new Error('a refresh token without a grant');
  return grantId;
}

function ended() {
  return new errors.InvalidGrant({
    detail: 'the token was exchanged before, or its session ended',
  });
}
