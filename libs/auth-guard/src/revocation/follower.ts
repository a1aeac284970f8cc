import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import type { KeySource } from '../keys/key-source.js';
import { silentLog } from '../log.js';
import type { GuardLog } from '../log.js';
import type { Principal } from '../token/principal.js';
import { EventStreamReader } from './event-stream.js';
import type { StreamEvent } from './event-stream.js';
import { FeedClient, PlaceLostError } from './feed-client.js';
import { KeptFeed } from './kept-feed.js';
import { RevocationKnowledge } from './knowledge.js';
import type { FeedCounts } from './knowledge.js';
import { revocationFeedSettings } from './options.js';
import type { RevocationFeedOptions, RevocationFeedSettings } from './options.js';
import { FeedRefusal } from './refusal.js';

/** What a follower believes, and what it works with. */
export interface RevocationFollowerContext {
  /** Whose feed it is: `iss` of every message. */
  issuer: string;
  /** The issuer's keys, which sign tokens and messages alike. */
  keys: KeySource;
  /** Seconds; 5 by default. */
  clockTolerance?: number;
  /** The system's by default. */
  clock?: Clock;
  /** Nothing is said by default. */
  log?: GuardLog;
}

/** How a follower is doing, for metrics. */
export interface RevocationFollowerStatus extends FeedCounts {
  /** Whether the stream is open now. */
  connected: boolean;
  /** Entries in force. */
  entries: number;
  /** How far the feed was followed; undefined when it lost its place or never had one. */
  seq: number | undefined;
  /** Seconds since the last moment of which everything is known; Infinity when there is none. */
  age: number;
  /** How often a connection was begun. */
  connections: number;
}

/** A stream sends a heartbeat a second; without anything for so long it is dead. Milliseconds. */
const SILENCE = 5_000;
/** For the snapshot as a whole, and for the stream to begin. Milliseconds. */
const PATIENCE = 10_000;

const FIRST_RETRY = 250;
const LAST_RETRY = 5_000;
/** What failures count for after a snapshot: only a stream that goes on shows that all is well. */
const ALMOST_WELL = 2;
const SWEEP_EVERY = 1_000;

/**
 * Follows an issuer's revocation feed in the background, so that the question whether a token is revoked
 * is answered from memory. When the issuer cannot be reached it goes on with what it knows, and knows
 * how old that is.
 */
export class RevocationFollower {
  private readonly settings: RevocationFeedSettings;
  private readonly client: FeedClient;
  private readonly knowledge: RevocationKnowledge;
  private readonly kept: KeptFeed | undefined;
  private readonly clock: Clock;
  private readonly log: GuardLog;
  private readonly closing = new AbortController();
  private readonly listeners: (() => void)[] = [];
  private connected = false;
  private connections = 0;
  private failures = 0;
  private running: Promise<void> | undefined;
  private cancelSweep: () => void = () => undefined;

  /** @throws {AuthGuardConfigurationError} */
  constructor(options: RevocationFeedOptions, context: RevocationFollowerContext) {
    this.settings = revocationFeedSettings(options, context);
    this.client = new FeedClient(this.settings);
    this.clock = context.clock ?? systemClock;
    this.log = context.log ?? silentLog;
    this.knowledge = new RevocationKnowledge({
      issuer: context.issuer,
      keys: context.keys,
      audience: this.settings.audience,
      maxEntries: this.settings.maxEntries,
      clock: this.clock,
      clockTolerance: (context.clockTolerance ?? 5) * 1000,
    });
    this.kept = this.keep(context.issuer);
  }

  /**
   * Begins to follow, with what an earlier run has kept. Waits for the first snapshot, so that nothing is
   * served in ignorance when the feed can be had; does not fail when it cannot.
   */
  start(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.running ??= this.run(() => resolve(undefined));
    this.scheduleSweep();
    return promise;
  }

  /** Ends it; what is known stays known. */
  async close(): Promise<void> {
    this.cancelSweep();
    this.closing.abort();
    await this.running;
    await this.kept?.close();
  }

  /** Whether a token is void, by what is known now. */
  isRevoked(principal: Principal): boolean {
    return this.knowledge.isRevoked(principal);
  }

  /** Seconds since the last moment of which everything is known; Infinity when there is none. */
  age(): number {
    return this.knowledge.age();
  }

  /** Calls `listener` each time that there are new entries. */
  onRevoked(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** How it is doing now. */
  get status(): RevocationFollowerStatus {
    return {
      ...this.knowledge.counts,
      connected: this.connected,
      entries: this.knowledge.size,
      seq: this.knowledge.position?.seq,
      age: this.age(),
      connections: this.connections,
    };
  }

  private keep(issuer: string): KeptFeed | undefined {
    const { settings, knowledge, clock, log } = this;
    if (settings.snapshotPath === undefined) return undefined;
    const fetchSnapshot = () => this.fetchSnapshot();
    const maxBytes = this.client.maxSnapshotBytes;
    const context = { settings, issuer, knowledge, clock, log, fetchSnapshot, maxBytes };
    return new KeptFeed(settings.snapshotPath, context);
  }

  private async run(onFirst: () => void): Promise<void> {
    await this.kept?.restore();
    while (!this.closing.signal.aborted) {
      try {
        if (!this.knowledge.position) await this.takeSnapshot();
        onFirst();
        await this.follow();
        this.report('the stream ended');
      } catch (error) {
        if (error instanceof PlaceLostError) this.knowledge.loseTrack();
        this.report(reasonOf(error));
      }
      onFirst();
      await this.pause();
    }
  }

  private async takeSnapshot(): Promise<void> {
    const bytes = await this.fetchSnapshot();
    await this.knowledge.applySnapshot(bytes);
    this.kept?.begin(bytes, this.knowledge.position?.seq ?? 0);
    this.failures = Math.min(this.failures, ALMOST_WELL);
    this.tell();
  }

  private fetchSnapshot(): Promise<Buffer> {
    return this.client.snapshot(
      AbortSignal.any([this.closing.signal, AbortSignal.timeout(PATIENCE)]),
    );
  }

  /** Until the stream ends or sends something that is not believed. */
  private async follow(): Promise<void> {
    const silence = new AbortController();
    let cancel = this.clock.after(PATIENCE, () => silence.abort(new Error('no answer')));
    const heard = () => {
      cancel();
      cancel = this.clock.after(SILENCE, () => silence.abort(new Error('no heartbeat')));
    };
    this.connections += 1;
    try {
      const signal = AbortSignal.any([this.closing.signal, silence.signal]);
      const chunks = await this.client.events(this.knowledge.position?.seq ?? 0, signal);
      this.connected = true;
      const reader = new EventStreamReader();
      for await (const chunk of chunks) {
        heard();
        await this.takeAll(reader.read(chunk));
        if (!this.knowledge.position) return;
      }
    } finally {
      cancel();
      this.connected = false;
      silence.abort();
    }
  }

  /** Tells once of all that came together: whoever is told looks at each open connection. */
  private async takeAll(events: Iterable<StreamEvent>): Promise<void> {
    const { events: before } = this.knowledge.counts;
    try {
      for (const event of events) await this.take(event);
    } finally {
      if (this.knowledge.counts.events > before) this.tell();
    }
  }

  private async take({ type, data }: StreamEvent): Promise<void> {
    try {
      if (type === 'heartbeat') {
        await this.knowledge.applyHeartbeat(data);
        if (this.failures > 0) this.log.log('The revocation feed is followed again.');
        this.failures = 0;
      } else {
        await this.knowledge.applyEvent(data);
        this.kept?.add({ seq: this.knowledge.position?.seq ?? 0, token: data });
      }
    } catch (error) {
      if (!(error instanceof FeedRefusal)) throw error;
      // What is known already does no harm.
      if (error.reason === 'replayed') return;
      // After anything else the connection is not to be trusted, and where it would go on is in doubt:
      // what it says may be out of order, or signed with a key that was withdrawn since.
      this.knowledge.loseTrack();
      throw error;
    }
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  /** Full jitter: a thousand followers that lost one issuer must not come back at one moment. */
  private async pause(): Promise<void> {
    const longest = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** Math.min(this.failures, 16));
    this.failures += 1;
    const { signal } = this.closing;
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const wake = () => resolve(undefined);
    const cancel = this.clock.after(Math.random() * longest, wake);
    signal.addEventListener('abort', wake);
    await promise;
    signal.removeEventListener('abort', wake);
    cancel();
  }

  private scheduleSweep(): void {
    if (this.closing.signal.aborted) return;
    this.cancelSweep = this.clock.after(SWEEP_EVERY, () => {
      this.knowledge.sweep();
      this.scheduleSweep();
    });
  }

  private report(reason: string): void {
    if (this.closing.signal.aborted || this.failures > 0) return;
    this.log.warn(
      `The revocation feed at ${this.settings.snapshotUrl} is not followed (${reason}): ` +
        'what is known of revocations is getting older.',
    );
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
