import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../clock.js';
import type { Principal } from '../token/principal.js';
import { extendChain, fromLine } from './feed-format.js';
import type { Revocation } from './feed-format.js';
import { readEvent, readHeartbeat, readSnapshot } from './messages.js';
import type { Heartbeat, Position, SignedSnapshot, SnapshotHead } from './messages.js';
import { FeedRefusal, REFUSAL_REASONS } from './refusal.js';
import type { RefusalReason } from './refusal.js';
import { RevokedTokens } from './revoked-tokens.js';
import type { FeedTrust } from './signed-message.js';

export interface KnowledgeOptions extends FeedTrust {
  clock: Clock;
  /** How far the issuer's clock and ours may differ, in milliseconds. */
  clockTolerance: number;
  maxEntries: number;
}

/** What has been believed and what has not, since the start. */
export interface FeedCounts {
  /** Entries that were taken in one by one. */
  events: number;
  /** Snapshots that were taken in. */
  snapshots: number;
  /** Heartbeats that were believed. */
  heartbeats: number;
  /** How often the issuer itself went back, as after the restore of a backup. */
  rewinds: number;
  /** Messages that were not believed, by why. */
  refused: Record<RefusalReason, number>;
}

const LINE_FEED = 0x0a;
const LINES_AT_ONCE = 2_000;

/** No access token lives longer, so no entry has to. Seconds. */
const LONGEST_TOKEN = 86_400 + 120;

/** Of `maxEntries`; having had too many, it starts anew when there are no more than that. */
const ROOM_AGAIN = 0.9;

/** A clock that is set back by less may not have dropped anything too early. Milliseconds. */
const CLOCK_STEP = 1_000;

/**
 * What is known of revocations, and as of when. Believes only what the issuer has signed, in the order
 * in which it was said. Nothing that comes over the wire takes an entry away: they leave when no token
 * can meet them any more.
 */
export class RevocationKnowledge {
  readonly counts: FeedCounts = {
    events: 0,
    snapshots: 0,
    heartbeats: 0,
    rewinds: 0,
    refused: Object.fromEntries(
      REFUSAL_REASONS.map((reason) => [reason, 0]),
    ) as FeedCounts['refused'],
  };

  private readonly entries: RevokedTokens;
  private latest: Position | undefined;
  private onTrack = false;
  /** Milliseconds, by the issuer's clock. */
  private asOf = -Infinity;
  private overflowed = false;
  /** When it was last asked what has expired, by our own clock. Milliseconds. */
  private lookedAt = -Infinity;
  /** Whether entries may be gone that a token can still meet. */
  private forgetful = false;

  constructor(private readonly options: KnowledgeOptions) {
    this.entries = new RevokedTokens(options.maxEntries);
  }

  get size(): number {
    return this.entries.size;
  }

  /** From where it can go on; undefined when it needs a snapshot first. */
  get position(): Position | undefined {
    return this.onTrack ? this.latest : undefined;
  }

  /** Whether there is an entry that the token must not be used any more for. */
  isRevoked(principal: Principal): boolean {
    return this.entries.isRevoked(principal);
  }

  list(): Iterable<Revocation> {
    return this.entries.list();
  }

  /** Seconds since the last moment of which everything is known; Infinity when there is none. */
  age(): number {
    if (this.overflowed || this.forgetful) return Infinity;
    return Math.max(0, this.options.clock.now() - this.asOf) / 1000;
  }

  /** Needs a snapshot next. What is known stays known. */
  loseTrack(): void {
    this.onTrack = false;
  }

  /** Drops what has expired, a part at each call. Returns whether all of it has been looked at. */
  sweep(): boolean {
    const now = this.options.clock.now();
    // It had been ahead: what it let expire may be in force, and the issuer still knows it.
    if (now < this.lookedAt - CLOCK_STEP) {
      this.forgetful = true;
      this.loseTrack();
    }
    this.lookedAt = now;
    const done = this.entries.sweep(now / 1000);
    if (this.overflowed && this.size <= this.options.maxEntries * ROOM_AGAIN) {
      this.overflowed = false;
      this.loseTrack();
    }
    return done;
  }

  /** @throws {FeedRefusal} which has been counted */
  applyEvent(message: string): Promise<void> {
    return this.counting(async () => {
      await this.takeEvent(message);
      this.counts.events += 1;
    });
  }

  /** @throws {FeedRefusal} which has been counted */
  applyHeartbeat(message: string): Promise<void> {
    return this.counting(async () => {
      const heartbeat = await readHeartbeat(message, this.options);
      this.refusePremature(heartbeat);
      if (heartbeat.asOf < this.asOf) throw new FeedRefusal('replayed');
      const { position } = this;
      if (!position || heartbeat.seq > position.seq) throw new FeedRefusal('gapped');
      if (heartbeat.seq < position.seq) throw new FeedRefusal('rolled_back');
      if (heartbeat.chain !== position.chain) throw new FeedRefusal('forked');
      this.asOf = heartbeat.asOf;
      this.counts.heartbeats += 1;
    });
  }

  /**
   * @param bytes the signed head, a line feed and the lines
   * @throws {FeedRefusal} which has been counted
   */
  applySnapshot(bytes: Buffer): Promise<void> {
    return this.counting(async () => {
      const snapshot = await this.readSnapshot(bytes);
      this.refuseOutdated(snapshot.head);
      this.judge(snapshot.head);
      await this.takeSnapshot(snapshot);
      this.counts.snapshots += 1;
    });
  }

  /**
   * Whether a snapshot is one to begin with at another time: genuine and of now. Takes nothing in.
   *
   * @throws {FeedRefusal} which has been counted
   */
  verifySnapshot(bytes: Buffer): Promise<SnapshotHead> {
    return this.counting(async () => {
      const { head } = await this.readSnapshot(bytes);
      this.refuseOutdated(head);
      return head;
    });
  }

  /**
   * Takes in what was kept of an earlier run, before anything else: a snapshot, however old, and events
   * behind it. What comes before something that is not believed is taken in; it is genuine. A snapshot
   * of now is needed next.
   *
   * @throws {FeedRefusal} which has not been counted: it did not come over the wire
   */
  async restore(snapshot: Buffer, events: readonly string[]): Promise<void> {
    await this.takeSnapshot(await this.readSnapshot(snapshot));
    try {
      for (const event of events) await this.takeEvent(event);
    } finally {
      this.loseTrack();
    }
  }

  private async takeEvent(message: string): Promise<void> {
    const { seq, chain, revocation } = await readEvent(message, this.options);
    const { position } = this;
    if (!position) throw new FeedRefusal('gapped');
    if (seq <= position.seq) throw new FeedRefusal('replayed');
    if (seq > position.seq + 1) throw new FeedRefusal('gapped');
    if (extendChain(position.chain, revocation) !== chain) throw new FeedRefusal('forked');
    this.add(revocation);
    this.latest = { seq, chain };
  }

  private async readSnapshot(bytes: Buffer): Promise<SignedSnapshot> {
    const snapshot = await readSnapshot(bytes, this.options);
    this.refusePremature(snapshot.head);
    return snapshot;
  }

  private async takeSnapshot({ head, lines }: SignedSnapshot): Promise<void> {
    await this.addAll(lines, head.count);
    this.latest = { seq: head.seq, chain: head.chain };
    this.onTrack = true;
    this.forgetful = false;
    this.asOf = Math.max(this.asOf, head.asOf);
  }

  /** Whether a genuine snapshot is one to go on from. */
  private judge(head: SnapshotHead): void {
    const { latest } = this;
    if (!latest || head.seq > latest.seq) return;
    if (head.seq === latest.seq && head.chain === latest.chain) return;
    // Said later, and yet less: the issuer's database was restored. What we know stays known.
    if (head.asOf > this.asOf) this.counts.rewinds += 1;
    else throw new FeedRefusal(head.seq === latest.seq ? 'forked' : 'rolled_back');
  }

  private refuseOutdated({ expiresAt }: SnapshotHead): void {
    const { clock, clockTolerance } = this.options;
    if (expiresAt * 1000 + clockTolerance < clock.now()) throw new FeedRefusal('outdated');
  }

  private refusePremature({ asOf }: Heartbeat): void {
    const { clock, clockTolerance } = this.options;
    if (asOf > clock.now() + clockTolerance) throw new FeedRefusal('premature');
  }

  /** The lines were signed for as a whole. Requests go on being answered between two parts of them. */
  private async addAll(lines: Buffer, count: number): Promise<void> {
    let added = 0;
    for (let start = 0; start < lines.length; added++) {
      const end = lines.indexOf(LINE_FEED, start);
      // A fresh string: a piece of the whole text would keep all of it in memory.
      const revocation = end === -1 ? undefined : fromLine(lines.toString('latin1', start, end));
      if (!revocation) throw new FeedRefusal('malformed');
      this.add(revocation);
      start = end + 1;
      if (added % LINES_AT_ONCE === LINES_AT_ONCE - 1) await nextTurn();
    }
    if (added !== count) throw new FeedRefusal('malformed');
  }

  private add(revocation: Revocation): void {
    const now = this.options.clock.now();
    if (revocation.until < now / 1000) {
      this.lookedAt = Math.max(this.lookedAt, now);
      return;
    }
    const until = Math.min(revocation.until, Math.ceil(now / 1000) + LONGEST_TOKEN);
    if (!this.entries.add({ ...revocation, until })) this.overflowed = true;
  }

  private async counting<Result>(apply: () => Promise<Result>): Promise<Result> {
    try {
      return await apply();
    } catch (error) {
      if (error instanceof FeedRefusal) this.counts.refused[error.reason] += 1;
      throw error;
    }
  }
}
