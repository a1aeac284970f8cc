import { HttpStatus, Injectable } from '@nestjs/common';
import { Problem } from '@signet/http';
import { and, eq, sql } from 'drizzle-orm';
import { Retention } from './retention.js';
import { idempotencyKeys } from './schema.js';
import { InjectDatabase } from './tokens.js';
import type { Database, Transaction } from './tokens.js';

/** A request that may come twice and must take effect once. `@IdempotencyKey()` makes it. */
export interface IdempotentRequest {
  /** Caller and route. */
  scope: string;
  /** The `Idempotency-Key` header. */
  key: string;
  /** SHA-256 of the body, and of If-Match when there is one, base64url. */
  fingerprint: string;
  /** Status that a first success answers with. */
  status: number;
}

export interface IdempotentAnswer {
  status: number;
  body: unknown;
  /** True when the effect happened earlier and this is its stored answer. */
  replayed: boolean;
}

/** An answer is kept for a day at least; after that, its key is as new. */
const KEPT_DAYS = 1;

/**
 * Idempotency-Key, as draft-ietf-httpapi-idempotency-key-header has it. Answers are kept for 24 hours at
 * least.
 */
@Injectable()
export class IdempotencyService {
  private readonly retention: Retention;

  constructor(@InjectDatabase() private readonly database: Database) {
    this.retention = new Retention(database, idempotencyKeys.createdAt, KEPT_DAYS);
  }

  /**
   * Runs `effect` once for a key and answers every repetition with what it answered then. What the
   * effect writes, the stored answer and any job it queues commit together; an effect that throws
   * leaves nothing behind, so the same key may be tried again.
   *
   * @param prepare reads what the effect needs from elsewhere, outside the transaction
   * @throws {Problem} 409 `idempotency_key_in_use` while the first request still runs;
   *   422 `idempotency_key_reused` when the key came with another body or
   *   If-Match before
   */
  async run<Prepared = undefined>(
    request: IdempotentRequest,
    effect: (transaction: Transaction, prepared: Prepared) => Promise<unknown>,
    prepare?: () => Promise<Prepared>,
  ): Promise<IdempotentAnswer> {
    const earlier = await this.replay(this.database, request);
    if (earlier) return earlier;
    this.retention.sweepWhenDue();
    const prepared = (await prepare?.()) as Prepared;
    return this.database.transaction(async (transaction) => {
      await this.lock(transaction, request);
      const meanwhile = await this.replay(transaction, request);
      if (meanwhile) return meanwhile;
      const body = await effect(transaction, prepared);
      const { scope, key, fingerprint, status } = request;
      await transaction.insert(idempotencyKeys).values({ scope, key, fingerprint, status, body });
      return { status, body, replayed: false };
    });
  }

  /** Held until the transaction ends, however it ends: a killed process frees its key at once. */
  private async lock(transaction: Transaction, { scope, key }: IdempotentRequest): Promise<void> {
    const name = JSON.stringify([scope, key]);
    const { rows } = await transaction.execute<{ locked: boolean }>(
      sql`select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as locked`,
    );
    if (rows[0]?.locked) return;
    throw new Problem({
      status: HttpStatus.CONFLICT,
      code: 'idempotency_key_in_use',
      detail: 'The first request with this Idempotency-Key is still running. Ask again shortly.',
      retryAfter: 1,
    });
  }

  private async replay(
    database: Database | Transaction,
    { scope, key, fingerprint }: IdempotentRequest,
  ): Promise<IdempotentAnswer | undefined> {
    const [stored] = await database
      .select()
      .from(idempotencyKeys)
      .where(and(eq(idempotencyKeys.scope, scope), eq(idempotencyKeys.key, key)));
    if (!stored) return undefined;
    if (stored.fingerprint === fingerprint) {
      return { status: stored.status, body: stored.body, replayed: true };
    }
    throw idempotencyKeyReused();
  }
}

/** 422: the key stands for another request. */
export function idempotencyKeyReused(): Problem {
  return new Problem({
    status: HttpStatus.UNPROCESSABLE_ENTITY,
    code: 'idempotency_key_reused',
    detail:
      'This Idempotency-Key came with another body or If-Match before. Use a new key for a new ' +
      'request.',
  });
}
