import { Inject, Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { networkOf } from '../accounts/network.js';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { RevocationFeed } from './feed.js';
import type { FeedEntry } from './feed.js';

interface Follower {
  response: ServerResponse;
  network: string;
  /** The last entry that it was sent. May be beyond what this replica has seen, if it comes from another. */
  seq: number;
  /** Since when it has not read what it was sent; undefined when it has. By `performance.now()`. */
  waitsSince: number | undefined;
}

export interface SignedHeartbeat {
  seq: number;
  token: string;
}

/** What one that has missed something is sent at once: some 30 KiB. It reads them before the next ones. */
const ENTRIES_AT_ONCE = 30;

/** One that reads nothing for so long is not there any more, and takes somebody's place. */
const STALLED_MS = 10_000;

/**
 * The followers that are connected to this replica. Nothing is kept for one that reads slowly: what
 * it has missed is looked up when it has read the rest.
 */
@Injectable()
export class FollowerStreams {
  private readonly followers = new Set<Follower>();
  private readonly sizes = new Map<string, number>();
  private isClosed = false;
  /** Followers that were cut off because they did not read, or not fast enough. */
  dropped = 0;

  constructor(
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    private readonly feed: RevocationFeed,
  ) {}

  get size(): number {
    return this.followers.size;
  }

  get hasRoom(): boolean {
    return !this.isClosed && this.size < this.config.SIGNET_REVOCATION_FOLLOWERS;
  }

  /** Whether one more from this IP address may come. */
  hasRoomFor(address: string): boolean {
    const size = this.sizes.get(networkOf(address)) ?? 0;
    return this.hasRoom && size < this.config.SIGNET_REVOCATION_FOLLOWERS_PER_ADDRESS;
  }

  /** Begins to tell a follower what comes after `seq`, what it has missed first. */
  add(response: ServerResponse, address: string, seq: number): void {
    const network = networkOf(address);
    const follower: Follower = { response, network, seq, waitsSince: undefined };
    this.followers.add(follower);
    this.sizes.set(network, (this.sizes.get(network) ?? 0) + 1);
    response.on('close', () => this.forget(follower));
    response.on('error', () => this.drop(follower));
    response.on('drain', () => {
      follower.waitsSince = undefined;
      this.catchUp(follower);
    });
    this.catchUp(follower);
  }

  sendEntries(entries: readonly FeedEntry[]): void {
    const [first] = entries;
    const last = entries.at(-1);
    if (!first || !last) return;
    const bytes = toBytes(entries);
    for (const follower of this.followers) {
      if (follower.waitsSince !== undefined || follower.seq >= last.seq) continue;
      if (follower.seq >= first.seq) this.catchUp(follower);
      else this.write(follower, last.seq, bytes);
    }
  }

  sendHeartbeat({ seq, token }: SignedHeartbeat): void {
    const bytes = Buffer.from(`event: heartbeat\ndata: ${token}\n\n`);
    const now = performance.now();
    for (const follower of this.followers) {
      if (follower.waitsSince !== undefined) {
        if (now - follower.waitsSince > STALLED_MS) this.cutOff(follower);
      }
      // One that is ahead would take it for history that was rolled back.
      else if (follower.seq <= seq) this.write(follower, follower.seq, bytes);
    }
  }

  /** Ends all of them, so that the server can close. They come back, to another replica perhaps. */
  close(): void {
    this.isClosed = true;
    this.dismiss();
  }

  /** Ends all of them. They come back, and are told whether they can go on. */
  dismiss(): void {
    for (const follower of this.followers) {
      this.forget(follower);
      follower.response.end();
    }
  }

  private catchUp(follower: Follower): void {
    while (follower.waitsSince === undefined && this.followers.has(follower)) {
      const missed = this.feed.since(follower.seq);
      // A snapshot has a line for each of them.
      if (!missed) {
        this.cutOff(follower);
        return;
      }
      const next = missed.slice(0, ENTRIES_AT_ONCE);
      const last = next.at(-1);
      if (!last) return;
      this.write(follower, last.seq, toBytes(next));
    }
  }

  private write(follower: Follower, seq: number, bytes: Buffer): void {
    follower.seq = seq;
    if (!follower.response.write(bytes)) follower.waitsSince = performance.now();
  }

  private cutOff(follower: Follower): void {
    this.dropped += 1;
    this.drop(follower);
  }

  private drop(follower: Follower): void {
    this.forget(follower);
    follower.response.destroy();
  }

  private forget(follower: Follower): void {
    if (!this.followers.delete(follower)) return;
    const size = (this.sizes.get(follower.network) ?? 1) - 1;
    if (size > 0) this.sizes.set(follower.network, size);
    else this.sizes.delete(follower.network);
  }
}

/** WHATWG HTML section 9.2. */
function toBytes(entries: readonly FeedEntry[]): Buffer {
  return Buffer.from(
    entries.map(({ seq, token }) => `id: ${seq}\nevent: revocation\ndata: ${token}\n\n`).join(''),
  );
}
