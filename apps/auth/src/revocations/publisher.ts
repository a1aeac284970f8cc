import { Injectable } from '@nestjs/common';
import { REVOCATION_FEED } from '@signet/auth-guard';
import type { Position } from '@signet/auth-guard';
import type { Database } from '@signet/database';
import { and, inArray, isNull, sql } from 'drizzle-orm';
import { revocationFeed, revocations } from '../schema.js';
import { FeedDatabase } from './feed-database.js';
import { FeedSigner } from './feed-signer.js';
import { publishAfter } from './security-event.js';

type Row = typeof revocations.$inferSelect;

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

/** The head of the feed, and what has no number yet: of one moment. */
interface Waiting {
  head: Position;
  rows: Row[];
}

/**
 * Numbers what has been committed. Numbers are given here, one after the other, and not when a row is
 * written: there, a lower number could commit after a higher one, and whoever has read the higher one
 * would never look for it.
 *
 * Several replicas may sign the same entries at once. The one that moves the head of the feed first has
 * published them; the others' signatures go unused. So nobody holds a lock while it signs, and one that
 * freezes holds up no other.
 */
@Injectable()
export class RevocationPublisher {
  private readonly database: Database;

  constructor(
    connection: FeedDatabase,
    private readonly signer: FeedSigner,
  ) {
    this.database = connection.database;
  }

  /** Sees to it that what is committed by now is published: the first of it when it is much. */
  async publish(): Promise<Published> {
    const asOf = await this.now();
    let { head, rows } = await this.waiting();
    const isAll = rows.length < ENTRIES_AT_ONCE;
    const wanted = rows.map(({ id }) => id);
    while (rows.length > 0) {
      const last = await this.number(head, rows);
      if (last) return { ...last, asOf, isAll };
      // Another replica was first, with these or with some of them.
      ({ head, rows } = await this.waiting(wanted));
    }
    return { ...head, asOf, isAll };
  }

  /** What was committed before is visible to whatever is asked from now on. */
  private async now(): Promise<number> {
    const { rows } = await this.database.execute<{ now: string }>(
      sql`select floor(extract(epoch from clock_timestamp()) * 1000) as now`,
    );
    return Number(rows[0]?.now);
  }

  /** @param ids of the only ones that are asked about; all by default */
  private async waiting(ids?: number[]): Promise<Waiting> {
    const unnumbered = this.database
      .select()
      .from(revocations)
      .where(and(isNull(revocations.seq), ids && inArray(revocations.id, ids)))
      .orderBy(revocations.id)
      .limit(ENTRIES_AT_ONCE)
      .as('unnumbered');
    const found = await this.database
      .select({ head: revocationFeed, row: unnumbered._.selectedFields })
      .from(revocationFeed)
      .leftJoin(unnumbered, sql`true`)
      .orderBy(unnumbered.id);
    const [first] = found;
    if (!first) return this.begin();
    const { seq, chain } = first.head;
    return {
      head: { seq, chain },
      rows: found.map(({ row }) => row).filter((row) => row !== null),
    };
  }

  private async begin(): Promise<Waiting> {
    const head = { seq: 0, chain: REVOCATION_FEED.genesis };
    await this.database
      .insert(revocationFeed)
      .values({ id: 1, ...head })
      .onConflictDoNothing();
    return this.waiting();
  }

  /** @returns undefined when the head has moved meanwhile: the numbers are given to others */
  private async number(head: Position, rows: Row[]): Promise<Position | undefined> {
    const places = publishAfter(head, rows.map(toUnpublished));
    const tokens = await Promise.all(
      places.map(({ claims }) => this.signer.sign(REVOCATION_FEED.eventType, claims)),
    );
    const { seq, chain } = places.at(-1) ?? head;
    const numbered = rows.map(({ id }, index) => {
      const place = places[index];
      return sql`(${id}::bigint, ${place?.seq}::bigint, ${place?.chain}, ${tokens[index]})`;
    });
    // One statement, so that it is done with the head at once, whatever becomes of this process.
    const { rowCount } = await this.database.execute(sql`
      with moved as (
        update ${revocationFeed} set seq = ${seq}, chain = ${chain}
        where id = 1 and seq = ${head.seq} and chain = ${head.chain} returning id
      ), numbered as (
        update ${revocations} set seq = place.seq, chain = place.chain, token = place.token
        from (values ${sql.join(numbered, sql`, `)}) as place (id, seq, chain, token), moved
        where ${revocations.id} = place.id
      )
      select pg_notify(${PUBLISHED}, '') from moved`);
    return rowCount === 1 ? { seq, chain } : undefined;
  }
}

function toUnpublished(row: Row) {
  const { kind, subject, before, until, txn, createdAt } = row;
  const revocation = { kind, id: subject, until, ...(before !== null && { before }) };
  return { revocation, txn, createdAt };
}
