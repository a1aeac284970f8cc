import { Injectable, Logger } from '@nestjs/common';
import { REVOCATION_FEED } from '@signet/auth-guard';
import { KeyRing } from '../keys/key-ring.js';
import { FeedSigner } from './feed-signer.js';
import { RevocationFeed } from './feed.js';
import type { Confirmed } from './feed.js';
import { FollowerStreams } from './follower-streams.js';
import { WakeUp } from './wake-up.js';

const HEARTBEAT_MS = 1_000;

/**
 * Keeps the feed going: looks when the database says that there is something, and once a second in any
 * case, after which every follower is told that it knows everything up to then. While the database
 * cannot be reached nobody is told, and followers see their knowledge age.
 */
@Injectable()
export class FeedRunner {
  private readonly logger = new Logger('Revocations');
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private failed = false;
  private heartbeatIsDue = false;
  /** What goes out does so in the order it was decided in, although signing takes its time. */
  private outgoing: Promise<void> = Promise.resolve();
  private working: Promise<void> = Promise.resolve();

  constructor(
    private readonly feed: RevocationFeed,
    private readonly streams: FollowerStreams,
    private readonly signer: FeedSigner,
    private readonly wakeUp: WakeUp,
    private readonly keyRing: KeyRing,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.keyRing.start();
    await this.feed.refresh();
    this.feed.onEntries((entries) => {
      this.send(() => this.streams.sendEntries(entries));
    });
    this.feed.onRewind(() => {
      this.logger.warn('The database has gone back: followers begin anew.');
      this.send(() => this.streams.dismiss());
    });
    await this.wakeUp.listen(() => void this.look());
    this.scheduleHeartbeat();
  }

  /** Streams would keep the server from closing. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.streams.close();
    await this.wakeUp.close();
    await this.working;
    await this.outgoing;
  }

  /** Runs when everything that was decided to go out before has gone out. */
  send(work: () => void | Promise<void>): void {
    this.outgoing = this.outgoing.then(work).catch((error: unknown) => this.report(error));
  }

  private look(): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    this.working = this.feed.refresh().then(
      () => this.succeed(),
      (error: unknown) => this.report(error),
    );
    return this.working;
  }

  private scheduleHeartbeat(): void {
    if (this.isClosed) return;
    this.timer = setTimeout(() => {
      this.heartbeatIsDue = true;
      void this.look().finally(() => this.scheduleHeartbeat());
    }, HEARTBEAT_MS).unref();
  }

  private succeed(): void {
    if (this.failed) this.logger.log('The feed goes on.');
    this.failed = false;
    const { confirmed } = this.feed;
    // Right behind the entries that it counts, and ahead of the next ones.
    if (confirmed && this.heartbeatIsDue) this.send(() => this.beat(confirmed));
    this.heartbeatIsDue = false;
  }

  /** One signature, however many follow. */
  private async beat({ seq, chain, asOf }: Confirmed): Promise<void> {
    if (this.streams.size === 0) return;
    const claims = { seq, chain, as_of: asOf };
    const token = await this.signer.sign(REVOCATION_FEED.heartbeatType, claims);
    this.streams.sendHeartbeat({ seq, token });
  }

  private report(error: unknown): void {
    if (!this.failed && !this.isClosed) {
      const cause = error instanceof Error && error.cause ? error.cause : error;
      this.logger.error(`The feed stands still: ${String(cause)}`);
    }
    this.failed = true;
  }
}
