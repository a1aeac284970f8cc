import { Inject, Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import type { FeedEntry } from './feed.js';

interface Follower {
  response: ServerResponse;
  /** The last entry that it knows. May be beyond what this replica has seen, if it comes from another. */
  seq: number;
}

export interface SignedHeartbeat {
  seq: number;
  token: string;
}

/**
 * What may wait for a follower: minutes of heartbeats, or some 1,000 entries. One that is further behind
 * is better served with a snapshot, which has a line for each of them.
 */
const MAX_WAITING_BYTES = 1024 * 1024;

/** The followers that are connected to this replica. */
@Injectable()
export class FollowerStreams {
  private readonly followers = new Set<Follower>();
  private isClosed = false;
  /** Followers that were cut off because they did not read, or not fast enough. */
  dropped = 0;

  constructor(@Inject(AUTH_CONFIG) private readonly config: AuthConfig) {}

  get size(): number {
    return this.followers.size;
  }

  get hasRoom(): boolean {
    return !this.isClosed && this.size < this.config.SIGNET_REVOCATION_FOLLOWERS;
  }

  /** Begins to tell a follower what comes after `seq`, `missed` first. */
  add(response: ServerResponse, seq: number, missed: readonly FeedEntry[]): void {
    const follower = { response, seq };
    this.followers.add(follower);
    response.on('close', () => this.followers.delete(follower));
    response.on('error', () => this.drop(follower));
    this.tell(follower, missed, toBytes(missed));
  }

  sendEntries(entries: readonly FeedEntry[]): void {
    const bytes = toBytes(entries);
    for (const follower of this.followers) this.tell(follower, entries, bytes);
  }

  sendHeartbeat({ seq, token }: SignedHeartbeat): void {
    const bytes = Buffer.from(`event: heartbeat\ndata: ${token}\n\n`);
    for (const follower of this.followers) {
      // One that is ahead would take it for history that was rolled back.
      if (follower.seq <= seq) this.write(follower, bytes);
    }
  }

  /** Ends all of them, so that the server can close. They come back, to another replica perhaps. */
  close(): void {
    this.isClosed = true;
    this.dismiss();
  }

  /** Ends all of them. They come back, and are told whether they can go on. */
  dismiss(): void {
    for (const { response } of this.followers) response.end();
    this.followers.clear();
  }

  private tell(follower: Follower, entries: readonly FeedEntry[], shared: Buffer): void {
    const last = entries.at(-1);
    if (!last || last.seq <= follower.seq) return;
    const known = entries.findIndex(({ seq }) => seq > follower.seq);
    follower.seq = last.seq;
    this.write(follower, known === 0 ? shared : toBytes(entries.slice(known)));
  }

  private write(follower: Follower, bytes: Buffer): void {
    follower.response.write(bytes);
    if (follower.response.writableLength > MAX_WAITING_BYTES) {
      this.dropped += 1;
      this.drop(follower);
    }
  }

  private drop(follower: Follower): void {
    this.followers.delete(follower);
    follower.response.destroy();
  }
}

/** WHATWG HTML section 9.2. */
function toBytes(entries: readonly FeedEntry[]): Buffer {
  return Buffer.from(
    entries.map(({ seq, token }) => `id: ${seq}\nevent: revocation\ndata: ${token}\n\n`).join(''),
  );
}
