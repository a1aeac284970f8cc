import { Injectable } from '@nestjs/common';
import { REVOCATION_FEED } from '@signet/auth-guard';
import type { Position } from '@signet/auth-guard';
import type { Transaction } from '@signet/database';
import { eq, isNull, sql } from 'drizzle-orm';
import { revocationFeed, revocations } from '../schema.js';
import { FeedDatabase } from './feed-database.js';
import { FeedSigner } from './feed-signer.js';
import { publishAfter } from './security-event.js';

/** Whoever numbers entries holds this advisory lock. */
const FEED_LOCK = 7_461_938_203;

/** Tells every replica that there are new entries to stream. */
export const PUBLISHED = 'revocation_published';

const ENTRIES_AT_ONCE = 100;

/** What was the case in the database at one moment. */
export interface Published extends Position {
  /** Milliseconds, by the database's clock: what was committed before is up to `seq`, if that `isAll`. */
  asOf: number;
  /** Whether nothing waits any more. */
  isAll: boolean;
}

/**
 * Numbers what has been committed. Numbers are given here, one after the other under a lock, and not
 * when a row is written: there, a lower number could commit after a higher one, and whoever has read
 * the higher one would never look for it.
 */
@Injectable()
export class RevocationPublisher {
  constructor(
    private readonly connection: FeedDatabase,
    private readonly signer: FeedSigner,
  ) {}

  /** Publishes what is committed by now, whichever replica wrote it: the first of it when it is much. */
  publish(): Promise<Published> {
    return this.connection.database.transaction((transaction) => this.publishSome(transaction));
  }

  private async publishSome(transaction: Transaction): Promise<Published> {
    await transaction.execute(sql`select pg_advisory_xact_lock(${FEED_LOCK})`);
    const head = await headOf(transaction);
    const rows = await transaction
      .select()
      .from(revocations)
      .where(isNull(revocations.seq))
      .orderBy(revocations.id)
      .limit(ENTRIES_AT_ONCE);
    const { seq, chain } = await this.number(transaction, head, rows);
    return { seq, chain, asOf: head.asOf, isAll: rows.length < ENTRIES_AT_ONCE };
  }

  private async number(
    transaction: Transaction,
    head: Position,
    rows: (typeof revocations.$inferSelect)[],
  ): Promise<Position> {
    const places = publishAfter(head, rows.map(toUnpublished));
    const last = places.at(-1);
    if (!last) return head;
    const tokens = await Promise.all(
      places.map(({ claims }) => this.signer.sign(REVOCATION_FEED.eventType, claims)),
    );
    const numbered = rows.map(({ id }, index) => {
      const { seq, chain } = places[index] ?? last;
      return sql`(${id}::bigint, ${seq}::bigint, ${chain}, ${tokens[index]})`;
    });
    await transaction.execute(sql`
      update ${revocations} set seq = place.seq, chain = place.chain, token = place.token
      from (values ${sql.join(numbered, sql`, `)}) as place (id, seq, chain, token)
      where ${revocations.id} = place.id`);
    const { seq, chain } = last;
    await transaction.update(revocationFeed).set({ seq, chain }).where(eq(revocationFeed.id, 1));
    await transaction.execute(sql`select pg_notify(${PUBLISHED}, '')`);
    return last;
  }
}

/** Where the feed is, and a moment before which everything committed is visible from now on. */
async function headOf(transaction: Transaction): Promise<Omit<Published, 'isAll'>> {
  const select = () =>
    transaction
      .select({
        seq: revocationFeed.seq,
        chain: revocationFeed.chain,
        asOf: sql<string>`floor(extract(epoch from clock_timestamp()) * 1000)`,
      })
      .from(revocationFeed);
  let [head] = await select();
  if (!head) {
    await transaction
      .insert(revocationFeed)
      .values({ id: 1, seq: 0, chain: REVOCATION_FEED.genesis });
    [head] = await select();
  }
  if (!head) throw new Error('the head of the revocation feed is gone');
  return { ...head, asOf: Number(head.asOf) };
}

function toUnpublished(row: typeof revocations.$inferSelect) {
  const { kind, subject, before, until, txn, createdAt } = row;
  const revocation = { kind, id: subject, until, ...(before !== null && { before }) };
  return { revocation, txn, createdAt };
}
