import { Inject, Injectable } from '@nestjs/common';
import type { Transaction } from '@signet/database';
import { and, eq, isNotNull, isNull, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { errors } from 'oidc-provider';
import type { KoaContextWithOIDC, RefreshToken } from 'oidc-provider';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { engineRecords, grants } from '../schema.js';
import { SessionStore } from '../sessions/session-store.js';
import { sha256 } from './record-adapter.js';
import { requester } from './requester.js';
import { keyFor, unseal } from './secret-box.js';
import { UnitOfWork } from './unit-of-work.js';

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
  /** What became of the refresh token of a request. */
  private readonly outcomes = new WeakMap<KoaContextWithOIDC, { successor?: string }>();

  constructor(
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    private readonly unit: UnitOfWork,
    private readonly sessions: SessionStore,
  ) {}

  /**
   * The engine's question, after it has checked everything else about the request, whether to exchange
   * the token. It is consumed here, under the lock of its grant, so that what is decided stays true.
   *
   * @throws {errors.InvalidGrant} when the token was exchanged before; its family has ended then
   */
  async decide(context: KoaContextWithOIDC): Promise<boolean> {
    const { RefreshToken: token, Client: client } = context.oidc.entities;
    if (!token || !client) throw new Error('the engine has not loaded the refresh token');
    const rotates = client.clientAuthMethod === 'none';
    return this.unit.write(async (transaction) => {
      if (!(await lockGrant(transaction, token))) throw ended();
      await transaction.execute(sql`savepoint rotation`);
      if (await (rotates ? consume(transaction, token) : isUnused(transaction, token))) {
        this.outcomes.set(context, {});
        return rotates;
      }
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
      await this.unit.write((transaction) =>
        transaction.execute(sql`rollback to savepoint rotation`),
      );
    } else if (outcome.successor !== undefined) {
      Object.assign(context.body as object, { refresh_token: outcome.successor });
    }
  };

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

/** Of any number of callers one succeeds. From now on its own parent cannot come again. */
async function consume(transaction: Transaction, token: RefreshToken): Promise<boolean> {
  const { rowCount } = await transaction
    .update(engineRecords)
    .set({ consumedAt: sql`now()`, sealedValue: null })
    .where(unused(token));
  return rowCount === 1;
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
    eq(engineRecords.model, 'RefreshToken'),
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
