import type { KeyObject } from 'node:crypto';
import { systemClock } from '../../clock.js';
import type { Clock } from '../../clock.js';
import { KeysUnavailableError } from '../../errors.js';
import type { GuardLog } from '../../log.js';
import { silentLog } from '../../log.js';
import { readKeySet } from '../jwk-set.js';
import type { KeySource, KeyStatus } from '../key-source.js';
import { fetchKeySet } from './fetch-key-set.js';
import type { RemoteKeysOptions, RemoteKeysSettings } from './options.js';
import { remoteKeysSettings } from './options.js';
import { refreshDelay, retryDelay } from './schedule.js';
import { KeySnapshot, OldSnapshotError } from './snapshot.js';

export interface RemoteKeysContext {
  /** Snapshots of another issuer's keys are not used. */
  issuer: string;
  clock?: Clock;
  log?: GuardLog;
}

/**
 * The keys that an issuer publishes, kept at hand so that no request waits for them: refreshed in the
 * background ahead of time, kept through outages up to `maxStale`, and fetched out of turn for a
 * `kid` that nobody has seen yet.
 */
export class RemoteKeys implements KeySource {
  private readonly settings: RemoteKeysSettings;
  private readonly clock: Clock;
  private readonly log: GuardLog;
  private readonly snapshot: KeySnapshot | undefined;
  private readonly closing = new AbortController();

  private keys: ReadonlyMap<string, KeyObject> = new Map();
  /** Until when `keys` may be used: `maxStale` after the answer that gave them was asked for. */
  private usableUntil = -Infinity;
  private refreshing: Promise<void> | undefined;
  private failures = 0;
  private readonly fetches = { succeeded: 0, failed: 0 };
  /** When the next refresh is due; after a failure, the end of the back-off. */
  private dueAt = -Infinity;
  /** From when on an unknown `kid` may cause a fetch. */
  private unknownKeyAt = -Infinity;
  private cancelTimer: () => void = () => undefined;
  private readonly withdrawalListeners: ((kid: string) => void)[] = [];

  /** @throws {AuthGuardConfigurationError} */
  constructor(options: RemoteKeysOptions, { issuer, clock, log }: RemoteKeysContext) {
    this.settings = remoteKeysSettings(options);
    this.clock = clock ?? systemClock;
    this.log = log ?? silentLog;
    const { snapshotPath, jwksUri } = this.settings;
    this.snapshot = snapshotPath ? new KeySnapshot(snapshotPath, { issuer, jwksUri }) : undefined;
  }

  /**
   * Reads the snapshot and asks the issuer once. Does not fail: without keys the service starts, says
   * that it is not ready and answers 503 until it has them.
   */
  async start(): Promise<void> {
    const isOld = await this.restoreSnapshot();
    await this.refresh();
    // News only to those who would have needed it.
    if (isOld && !this.isReady()) this.log.warn('The key snapshot is not used: it is too old.');
  }

  close(): void {
    this.closing.abort();
    this.cancelTimer();
  }

  isReady(): boolean {
    return this.keys.size > 0 && this.clock.now() <= this.usableUntil;
  }

  status(): KeyStatus {
    const fetchedAt = this.usableUntil - this.settings.maxStale;
    return {
      count: this.isReady() ? this.keys.size : 0,
      age: this.keys.size > 0 ? (this.clock.now() - fetchedAt) / 1000 : undefined,
      fetches: { ...this.fetches },
    };
  }

  onWithdrawn(listener: (kid: string) => void): void {
    this.withdrawalListeners.push(listener);
  }

  getKey(kid: string): KeyObject | undefined | Promise<KeyObject | undefined> {
    const now = this.clock.now();
    // The timer does this, unless the machine slept through it.
    if (now >= this.dueAt) void this.refresh();
    const key = now <= this.usableUntil ? this.keys.get(kid) : undefined;
    return key ?? this.awaitKey(kid);
  }

  /** The slow path: a `kid` that is not known, or nothing that could know it. */
  private async awaitKey(kid: string): Promise<KeyObject | undefined> {
    while (this.refreshing && !this.find(kid)) await this.refreshing;
    if (!this.find(kid) && this.failures === 0 && this.clock.now() >= this.unknownKeyAt) {
      // Scheduled refreshes do not count: a new key is found even right after one.
      this.unknownKeyAt = this.clock.now() + this.settings.unknownKeyCooldown;
      await this.refresh();
    }
    const key = this.find(kid);
    // After a failure nobody can say whether the key exists.
    if (!key && (this.failures > 0 || !this.isReady())) throw this.unavailable();
    return key;
  }

  private find(kid: string): KeyObject | undefined {
    return this.clock.now() <= this.usableUntil ? this.keys.get(kid) : undefined;
  }

  private unavailable(): KeysUnavailableError {
    const wait = (this.dueAt - this.clock.now()) / 1000;
    return new KeysUnavailableError(Math.max(1, Math.ceil(wait)));
  }

  /** One fetch at a time, however many ask for it. Never rejects. */
  private refresh(): Promise<void> {
    if (this.closing.signal.aborted) return Promise.resolve();
    this.refreshing ??= this.load().finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  private async load(): Promise<void> {
    const askedAt = this.clock.now();
    try {
      const { set, maxAge } = await fetchKeySet({
        url: this.settings.jwksUri,
        timeout: this.settings.fetchTimeout,
        signal: this.closing.signal,
        fetch: this.settings.fetch,
      });
      this.adopt(set, askedAt);
      if (this.failures > 0) this.log.log('The key set can be fetched again.');
      this.failures = 0;
      this.fetches.succeeded += 1;
      this.schedule(refreshDelay(maxAge, this.settings.refreshInterval));
    } catch (error) {
      this.failures += 1;
      this.fetches.failed += 1;
      this.schedule(retryDelay(this.failures, this.isReady() ? 'withKeys' : 'withoutKeys'));
      this.reportFailure(error);
      return;
    }
    await this.saveSnapshot(askedAt);
  }

  private adopt(set: unknown, fetchedAt: number): void {
    const { keys, warnings } = readKeySet(set);
    for (const warning of warnings) this.log.warn(`${this.settings.jwksUri}: ${warning}`);
    const before = this.keys;
    this.keys = withKnownObjects(keys, before);
    this.usableUntil = fetchedAt + this.settings.maxStale;
    for (const [kid, key] of before) {
      if (this.keys.get(kid) !== key) this.tellWithdrawn(kid);
    }
  }

  private tellWithdrawn(kid: string): void {
    for (const listener of this.withdrawalListeners) listener(kid);
  }

  private schedule(delay: number): void {
    this.cancelTimer();
    if (this.closing.signal.aborted) return;
    this.dueAt = this.clock.now() + delay;
    this.cancelTimer = this.clock.after(delay, () => void this.refresh());
  }

  private reportFailure(error: unknown): void {
    if (this.closing.signal.aborted) return;
    const held = this.isReady() ? 'the keys at hand stay in use' : 'no token can be verified';
    this.log.warn(
      `The key set at ${this.settings.jwksUri} cannot be fetched (${reasonOf(error)}): ${held}.`,
    );
  }

  /** @returns whether there is a snapshot that is good but for its age */
  private async restoreSnapshot(): Promise<boolean> {
    try {
      const saved = await this.snapshot?.read({
        now: this.clock.now(),
        maxAge: this.settings.maxStale,
      });
      if (saved) this.adopt(saved.set, saved.fetchedAt);
    } catch (error) {
      if (error instanceof OldSnapshotError) return true;
      this.log.warn(`The key snapshot is not used: ${reasonOf(error)}.`);
    }
    return false;
  }

  private async saveSnapshot(fetchedAt: number): Promise<void> {
    try {
      await this.snapshot?.write(this.keys, fetchedAt);
    } catch (error) {
      this.log.warn(`The key snapshot cannot be written: ${reasonOf(error)}.`);
    }
  }
}

/** Keeps the object of a key that has not changed: what was verified with it stays verified. */
function withKnownObjects(
  fresh: ReadonlyMap<string, KeyObject>,
  known: ReadonlyMap<string, KeyObject>,
): ReadonlyMap<string, KeyObject> {
  return new Map(
    [...fresh].map(([kid, key]) => {
      const before = known.get(kid);
      return [kid, before?.equals(key) ? before : key];
    }),
  );
}

/** What `fetch` failed of is in the cause; its own message says only that it did. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
