import { Injectable } from '@nestjs/common';
import { REVOCATION_FEED, toLine } from '@signet/auth-guard';
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { FeedSigner } from './feed-signer.js';
import { RevocationFeed } from './feed.js';

export interface Snapshot {
  etag: string;
  plain: Buffer;
  gzipped: Buffer;
}

/** How long one is given out, or for as long as it took to make; who takes it catches up with the stream. */
const FRESH_MS = 1_000;

/** How long one is believed, for caches on the way and slow networks. */
const LIFE_SECONDS = 60;

const LINES_AT_ONCE = 5_000;

const compress = promisify(gzip);

/**
 * Everything that is in force, for a follower that connects or has lost its place: a signed head, and
 * the lines whose hash it has. Only the head is a JWS, so that a million lines need not pass through a
 * parser of JSON.
 */
@Injectable()
export class RevocationSnapshots {
  private latest: Promise<Snapshot | undefined> | undefined;
  private freshUntil = -Infinity;

  constructor(
    private readonly feed: RevocationFeed,
    private readonly signer: FeedSigner,
  ) {}

  /**
   * One for all who ask within a second, and while it is made: strangers may ask, and of a million entries it
   * takes seconds. Undefined when the state of the feed is not known.
   */
  current(): Promise<Snapshot | undefined> {
    const begun = performance.now();
    if (this.latest && begun <= this.freshUntil) return this.latest;
    this.freshUntil = Infinity;
    this.latest = this.make().finally(() => {
      const now = performance.now();
      this.freshUntil = now + Math.max(FRESH_MS, now - begun);
    });
    return this.latest;
  }

  private async make(): Promise<Snapshot | undefined> {
    const { confirmed, entries } = this.feed;
    if (!confirmed) return undefined;
    const { seq, chain, asOf } = confirmed;
    // What is added meanwhile is in it or not: the stream says it again, from `seq` on.
    const { lines, count } = await write(entries);
    const head = await this.signer.sign(REVOCATION_FEED.snapshotType, {
      ...{ seq, chain, count },
      as_of: asOf,
      exp: Math.floor(asOf / 1000) + LIFE_SECONDS,
      sha256: createHash('sha256').update(lines).digest('base64url'),
    });
    const plain = Buffer.concat([Buffer.from(`${head}\n`), lines]);
    const etag = `"${createHash('sha256').update(head).digest('base64url')}"`;
    return { etag, plain, gzipped: await compress(plain) };
  }
}

/** Requests go on being answered between two parts of it. */
async function write(entries: RevocationFeed['entries']) {
  const parts: Buffer[] = [];
  let part = '';
  let count = 0;
  for (const entry of entries.list()) {
    part += `${toLine(entry)}\n`;
    count += 1;
    if (count % LINES_AT_ONCE > 0) continue;
    parts.push(Buffer.from(part));
    part = '';
    await nextTurn();
  }
  parts.push(Buffer.from(part));
  return { lines: Buffer.concat(parts), count };
}
