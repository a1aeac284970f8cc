import { Inject, Injectable } from '@nestjs/common';
import type { Revocation } from '@signet/auth-guard';
import type { Transaction } from '@signet/database';
import { and, eq, or, sql } from 'drizzle-orm';
import type { SQL, SQLWrapper } from 'drizzle-orm';
import { randomUUID } from 'node:crypto';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { revocations } from '../schema.js';
import type { RevocationCause } from './causes.js';

export interface RevocationRecord {
  kind: Revocation['kind'];
  /** The `sid`s, or the ids of clients. */
  ids: readonly string[];
  cause: RevocationCause;
  /** Id of a user or a client; null when the service did it by itself. */
  actor: string | null;
  /**
   * Which tokens are void: all of them, or those `issued` by now, so that the next ones are good. For
   * the latter the caller holds a lock that whoever issues tokens takes as well.
   */
  concerns: 'all' | 'issued';
}

/** Wakes whoever publishes. */
export const RECORDED = 'revocation_recorded';

/** The most that a verifier may be told to tolerate, and the second by which `iat` may be ahead. */
const TOLERANCE_SECONDS = 61;

const ROWS_AT_ONCE = 1_000;

/** By the database's clock, the one that all replicas share. Not that of the transaction's beginning. */
const now = sql<number>`floor(extract(epoch from clock_timestamp()))::bigint`;

/** Writes down which tokens are void, in the transaction of what makes them so. */
@Injectable()
export class RevocationLog {
  /** Seconds that an entry has to be known for. */
  private readonly longest: number;

  constructor(@Inject(AUTH_CONFIG) config: AuthConfig) {
    this.longest = config.SIGNET_ACCESS_TOKEN_SECONDS + TOLERANCE_SECONDS;
  }

  async record(transaction: Transaction, { ids, concerns, ...record }: RevocationRecord) {
    if (ids.length === 0) return;
    const txn = randomUUID();
    const earlier = concerns === 'issued' ? await this.outlast(transaction, record.kind, ids) : 0;
    for (let first = 0; first < ids.length; first += ROWS_AT_ONCE) {
      await transaction.insert(revocations).values(
        ids.slice(first, first + ROWS_AT_ONCE).map((subject) => ({
          ...record,
          subject,
          txn,
          // Whole seconds, as `iat` has them: a token of this very second must be void as well.
          before: concerns === 'issued' ? sql`greatest(${now}, ${earlier}) + 1` : null,
          until: sql`${now} + ${this.longest}`,
        })),
      );
    }
    // Told when the transaction commits, and not at all when it does not.
    await transaction.execute(sql`select pg_notify(${RECORDED}, '')`);
  }

  /**
   * After a change, tokens of this very second are dated to the next one (`issueTime`). A second change
   * within the second would leave those alone, so it waits until theirs is the present one. Entries of the
   * other kind date the tokens as well. Those of the last seconds are found by when they may be forgotten.
   *
   * @returns the moment that tokens are dated to now, if that is ahead: when the clock was set back
   */
  private async outlast(
    transaction: Transaction,
    kind: RevocationRecord['kind'],
    ids: readonly string[],
  ): Promise<number> {
    const { rows } = await transaction.execute<{ before: string }>(sql`
      select latest.before, pg_sleep(least(1, latest.before - extract(epoch from clock_timestamp())))
      from (
        select coalesce(max(${revocations.before}), 0) as before from ${revocations}
        where ${revocations.until} >= floor(extract(epoch from now()))::bigint + ${this.longest} - 1
          and (${revocations.kind} <> ${kind} or ${revocations.subject} = any(${sql.param([...ids])}))
      ) latest`);
    return Number(rows[0]?.before);
  }

  /**
   * The `iat` of a token that is issued now: the present second, unless tokens of the present second
   * are void. Then it is the next one, which every verifier's tolerance for clocks covers.
   */
  issueTime({ sid, clientId }: { sid?: SQLWrapper; clientId: SQLWrapper }): SQL<number> {
    const ofSession =
      sid === undefined
        ? undefined
        : and(eq(revocations.kind, 'session'), eq(revocations.subject, sid));
    const ofClient = and(eq(revocations.kind, 'client'), eq(revocations.subject, clientId));
    return sql`(
      select greatest(${now}, max(${revocations.before})) from ${revocations}
      where ${or(ofSession, ofClient)})`.mapWith(Number);
  }
}
