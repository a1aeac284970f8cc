import { Injectable } from '@nestjs/common';
import { REVOCATION_FEED, RevokedTokens } from '@signet/auth-guard';
import type { Position } from '@signet/auth-guard';
import { and, gt, gte, isNotNull, min } from 'drizzle-orm';
import { revocations } from '../schema.js';
import { FeedDatabase } from './feed-database.js';
import { RevocationPublisher } from './publisher.js';
import type { Published } from './publisher.js';

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

/** How many entries a follower may have missed and still be served without a snapshot. */
const KEPT = 10_000;
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

  /**
   * What came after entry number `seq`.
   *
   * @returns undefined when that is not kept any more
   */
  since(seq: number): readonly FeedEntry[] | undefined {
    const missed = this.head.seq - seq;
    if (missed === 0) return [];
    return missed > 0 && missed <= this.kept.length ? this.kept.slice(-missed) : undefined;
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
    const published = await this.publisher.publish();
    if (this.head.seq === 0) await this.skipExpired(published);
    await this.pull();
    // Everything there was has expired and been cleared away.
    if (this.head.seq < published.seq) this.head = published;
    const { seq, chain } = this.head;
    this.confirmation = {
      confirmed: { seq, chain, asOf: published.asOf },
      at: performance.now(),
    };
    this.entries.sweep(published.asOf / 1000);
  }

  /** At the first look: begins with what is in force, or may have been missed by a follower. */
  private async skipExpired({ seq, chain, asOf }: Published): Promise<void> {
    const [first] = await this.connection.database
      .select({ seq: min(revocations.seq) })
      .from(revocations)
      .where(and(isNotNull(revocations.seq), gte(revocations.until, Math.floor(asOf / 1000))));
    const start = Math.max(0, Math.min(seq - KEPT, (first?.seq ?? seq + 1) - 1));
    this.head = { seq: start, chain };
  }

  private async pull(): Promise<void> {
    for (;;) {
      const rows = await this.connection.database
        .select()
        .from(revocations)
        .where(gt(revocations.seq, this.head.seq))
        .orderBy(revocations.seq)
        .limit(ROWS_AT_ONCE);
      const entries = rows.map((row) => this.take(row));
      if (entries.length > 0) for (const listener of this.listeners) listener(entries);
      if (rows.length < ROWS_AT_ONCE) return;
    }
  }

  private take(row: typeof revocations.$inferSelect): FeedEntry {
    const { kind, subject, before, until, seq, chain, token, createdAt } = row;
    if (seq === null || chain === null || token === null) throw new Error('not published');
    this.entries.add({ kind, id: subject, until, ...(before !== null && { before }) });
    // What has expired is cleared away: at the first look, or after a long one, numbers are missing.
    if (seq !== this.head.seq + 1) this.kept = [];
    this.head = { seq, chain };
    const entry = { seq, token, createdAt };
    this.kept.push(entry);
    if (this.kept.length > 2 * KEPT) this.kept = this.kept.slice(-KEPT);
    return entry;
  }
}
