import { Injectable } from '@nestjs/common';
import { extendChain, REVOCATION_FEED, RevokedTokens } from '@signet/auth-guard';
import type { Position, Revocation } from '@signet/auth-guard';
import { and, gt, gte, isNotNull, min } from 'drizzle-orm';
import { revocations } from '../schema.js';
import { FeedDatabase } from './feed-database.js';
import { RevocationPublisher } from './publisher.js';
import type { Published } from './publisher.js';

type Row = typeof revocations.$inferSelect;

/** A Security Event Token with its number. */
export interface FeedEntry {
  seq: number;
  token: string;
  createdAt: Date;
}

/** A position of which everything committed by `asOf` is known to be behind. */
export interface Confirmed extends Position {
  asOf: number;
}

/**
 * How many entries a follower may have missed and still be served without a snapshot. Some half of what
 * may wait for one: whoever is served is not cut off for it, to come back and ask for the same.
 */
const KEPT = 500;
const ROWS_AT_ONCE = 1_000;
/** The database has its own bounds; this is a bound for us. */
const MAX_ENTRIES = 4_000_000;

/** How old a confirmation may be to be given out, in milliseconds: followers would call it stale. */
const CURRENT_MS = 10_000;

/**
 * The feed as this replica serves it: every entry that has been numbered, by whichever replica, in
 * order. What a follower is told comes from here and never from its own request to the database.
 */
@Injectable()
export class RevocationFeed {
  readonly entries = new RevokedTokens(MAX_ENTRIES);
  private readonly listeners: ((entries: readonly FeedEntry[]) => void)[] = [];
  private readonly rewindListeners: (() => void)[] = [];
  private kept: FeedEntry[] = [];
  private head: Position = { seq: 0, chain: REVOCATION_FEED.genesis };
  private confirmation: { confirmed: Confirmed; at: number } | undefined;
  private running: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;

  constructor(
    private readonly connection: FeedDatabase,
    private readonly publisher: RevocationPublisher,
  ) {}

  get seq(): number {
    return this.head.seq;
  }

  /** What is known to be the state of the feed; undefined when that was too long ago. */
  get confirmed(): Confirmed | undefined {
    return this.age() * 1000 <= CURRENT_MS ? this.confirmation?.confirmed : undefined;
  }

  /** Seconds since the state of the feed was last known; Infinity before. */
  age(): number {
    return this.confirmation ? (performance.now() - this.confirmation.at) / 1000 : Infinity;
  }

  /** Calls `listener` with what is new, in order and without a gap. */
  onEntries(listener: (entries: readonly FeedEntry[]) => void): void {
    this.listeners.push(listener);
  }

  /** Calls `listener` when the database has gone back: what it was told of since is numbered otherwise now. */
  onRewind(listener: () => void): void {
    this.rewindListeners.push(listener);
  }

  /**
   * What came after entry number `seq`.
   *
   * @returns undefined when that is not kept any more
   */
  since(seq: number): readonly FeedEntry[] | undefined {
    const missed = this.head.seq - seq;
    if (missed === 0) return [];
    const bound = Math.min(this.kept.length, KEPT);
    return missed > 0 && missed <= bound ? this.kept.slice(-missed) : undefined;
  }

  /**
   * Publishes what is committed and takes in what is published, in a run that begins after the call:
   * whoever calls during one waits for the next, together with all others.
   */
  refresh(): Promise<void> {
    this.next ??= this.running
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        this.running = this.run();
        return this.running;
      });
    return this.next;
  }

  private async run(): Promise<void> {
    let published = await this.publisher.publish();
    // Of many, the first are on their way while the others are signed.
    for (; !published.isAll; published = await this.publisher.publish()) {
      await this.catchUp(published);
    }
    await this.catchUp(published);
    const { seq, chain } = this.head;
    this.confirmation = {
      confirmed: { seq, chain, asOf: published.asOf },
      at: performance.now(),
    };
    this.entries.sweep(published.asOf / 1000);
  }

  private async catchUp(published: Published): Promise<void> {
    if (isBefore(published, this.head)) this.rewind();
    if (this.head.seq === 0) await this.skipExpired(published);
    if (!(await this.pull())) {
      this.rewind();
      await this.skipExpired(published);
      await this.pull();
    }
    // Everything there was has expired and been cleared away.
    if (this.head.seq < published.seq) {
      const { seq, chain } = published;
      this.goTo({ seq, chain });
    }
  }

  /**
   * The database is another one now: restored, or a standby that had not heard of all. New entries have
   * numbers again that were passed here. What was known stays in force, as it does with followers.
   */
  private rewind(): void {
    this.goTo({ seq: 0, chain: REVOCATION_FEED.genesis });
    for (const listener of this.rewindListeners) listener();
  }

  private goTo(head: Position): void {
    this.head = head;
    this.kept = [];
  }

  /** At the first look: begins with what is in force, or may have been missed by a follower. */
  private async skipExpired({ seq, chain, asOf }: Published): Promise<void> {
    const [first] = await this.connection.database
      .select({ seq: min(revocations.seq) })
      .from(revocations)
      .where(and(isNotNull(revocations.seq), gte(revocations.until, Math.floor(asOf / 1000))));
    const start = Math.max(0, Math.min(seq - KEPT, (first?.seq ?? seq + 1) - 1));
    this.goTo({ seq: start, chain });
  }

  /** @returns false when what follows belongs to another history */
  private async pull(): Promise<boolean> {
    for (;;) {
      const rows = await this.connection.database
        .select()
        .from(revocations)
        .where(gt(revocations.seq, this.head.seq))
        .orderBy(revocations.seq)
        .limit(ROWS_AT_ONCE);
      if (rows[0] && !this.isNext(rows[0])) return false;
      const entries = rows.map((row) => this.take(row));
      if (entries.length > 0) for (const listener of this.listeners) listener(entries);
      if (rows.length < ROWS_AT_ONCE) return true;
    }
  }

  /** Whether a row continues what was taken before; it cannot be told when numbers are missing. */
  private isNext(row: Row): boolean {
    if (this.kept.length === 0 || row.seq !== this.head.seq + 1) return true;
    return row.chain === extendChain(this.head.chain, toRevocation(row));
  }

  private take(row: Row): FeedEntry {
    const { seq, chain, token, createdAt } = row;
    if (seq === null || chain === null || token === null) throw new Error('not published');
    this.entries.add(toRevocation(row));
    // What has expired is cleared away: at the first look, or after a long one, numbers are missing.
    if (seq !== this.head.seq + 1) this.kept = [];
    this.head = { seq, chain };
    const entry = { seq, token, createdAt };
    this.kept.push(entry);
    if (this.kept.length > 2 * KEPT) this.kept = this.kept.slice(-KEPT);
    return entry;
  }
}

/** Whether the database is where the feed was before, or beside it. */
function isBefore(published: Position, head: Position): boolean {
  const { seq, chain } = published;
  return seq < head.seq || (seq === head.seq && chain !== head.chain);
}

function toRevocation({ kind, subject, before, until }: Row): Revocation {
  return { kind, id: subject, until, ...(before !== null && { before }) };
}
