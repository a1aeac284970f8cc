import type { Clock } from '../clock.js';
import type { GuardLog } from '../log.js';
import { FeedFile } from './feed-file.js';
import type { NumberedEvent, SavedFeed } from './feed-file.js';
import type { RevocationKnowledge } from './knowledge.js';
import type { RevocationFeedSettings } from './options.js';

/**
 * How long events are written behind a snapshot until a new one takes their place, in milliseconds. A
 * key is published for the life of a token after it has signed for the last time; with a snapshot that
 * is younger, whatever is still in force can be verified.
 */
const RENEW_AFTER = 5 * 60_000;
const MAX_EVENTS = 10_000;
const EVENT_BYTES = 4096;

export interface KeptFeedContext {
  settings: RevocationFeedSettings;
  issuer: string;
  knowledge: RevocationKnowledge;
  clock: Clock;
  log: GuardLog;
  /** The bytes of the snapshot of now. */
  fetchSnapshot: () => Promise<Buffer>;
  /** Of a snapshot. */
  maxBytes: number;
}

/**
 * Keeps what was verified of a feed in a file, for the next start. Never fails: what cannot be read or
 * written is said once.
 */
export class KeptFeed {
  private readonly file: FeedFile;
  private work: Promise<void> = Promise.resolve();
  private waiting: NumberedEvent[] = [];
  /** What the snapshot in the file covers. */
  private covered = 0;
  /** Of events behind it. */
  private count = 0;
  /** Whether what is written continues a snapshot that was written whole. */
  private intact = false;
  private warned = false;
  private cancelRenewal: (() => void) | undefined;

  constructor(
    path: string,
    private readonly context: KeptFeedContext,
  ) {
    const { issuer, settings, maxBytes } = context;
    const origin = { issuer, url: settings.snapshotUrl };
    this.file = new FeedFile(path, origin, maxBytes + 2 * MAX_EVENTS * EVENT_BYTES);
  }

  /** Takes in what an earlier run has kept. */
  async restore(): Promise<void> {
    try {
      const saved = await this.file.read();
      if (!saved) return;
      const events = saved.events.map(({ token }) => token);
      await this.context.knowledge.restore(saved.snapshot, events);
    } catch (error) {
      this.context.log.warn(
        `The revocation snapshot is not used, or not all of it: ${(error as Error).message}.`,
      );
    }
  }

  /** Begins anew with a snapshot that has been taken in. */
  begin(snapshot: Buffer, seq: number): void {
    this.waiting = [];
    this.enqueue(() => this.replace({ snapshot, events: [] }, seq));
  }

  /** Adds an event that has been verified. */
  add(event: NumberedEvent): void {
    this.waiting.push(event);
    this.count += 1;
    // One write for all that come while another one is going on.
    if (this.waiting.length === 1) this.enqueue(() => this.flush());
    if (this.count === MAX_EVENTS) void this.renew();
    this.cancelRenewal ??= this.scheduleRenewal();
  }

  async close(): Promise<void> {
    this.cancelRenewal?.();
    this.enqueue(() => this.file.close());
    await this.work;
  }

  private async replace(saved: SavedFeed, covered: number): Promise<void> {
    this.cancelRenewal?.();
    this.cancelRenewal = undefined;
    this.intact = false;
    await this.file.write(saved);
    this.covered = covered;
    this.count = saved.events.length;
    this.intact = true;
    this.warned = false;
  }

  private async flush(): Promise<void> {
    const events = this.waiting;
    this.waiting = [];
    if (!this.intact || events.length === 0) return;
    this.intact = false;
    await this.file.append(events);
    this.intact = true;
  }

  /** Puts a snapshot of now in the place of the old one and of the events that it covers. */
  private async renew(): Promise<void> {
    this.cancelRenewal = undefined;
    try {
      const snapshot = await this.context.fetchSnapshot();
      const { seq } = await this.context.knowledge.verifySnapshot(snapshot);
      this.enqueue(() => this.goOnFrom(snapshot, seq));
    } catch (error) {
      this.report(error);
    }
  }

  private async goOnFrom(snapshot: Buffer, seq: number): Promise<void> {
    // From a replica of the issuer that is behind, or begun anew meanwhile.
    if (seq < this.covered) return;
    const saved = this.intact ? await this.file.read() : undefined;
    const events = [...(saved?.events ?? []), ...this.waiting];
    this.waiting = [];
    await this.replace({ snapshot, events: events.filter((event) => event.seq > seq) }, seq);
  }

  /** Not all followers of one feed at one moment. */
  private scheduleRenewal(): () => void {
    const delay = Math.ceil(RENEW_AFTER * (0.5 + Math.random() / 2));
    return this.context.clock.after(delay, () => void this.renew());
  }

  private enqueue(task: () => Promise<void>): void {
    this.work = this.work.then(task).catch((error: unknown) => this.report(error));
  }

  private report(error: unknown): void {
    if (this.warned) return;
    this.warned = true;
    const reason = (error as Error).message;
    this.context.log.warn(`The revocation snapshot cannot be kept: ${reason}.`);
  }
}
