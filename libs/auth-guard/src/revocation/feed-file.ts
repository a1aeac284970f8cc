import type { FileHandle } from 'node:fs/promises';
import { parseJsonObject } from '../jws/json.js';
import { readPrivateFile, replacePrivateFile } from '../private-file.js';

const FORMAT = 'signet-revocation-snapshot/1';
const LINE_FEED = 0x0a;

/** Whose feed is in the file. That of another one is not used. */
export interface FeedOrigin {
  issuer: string;
  url: string;
}

export interface NumberedEvent {
  seq: number;
  /** The Security Event Token as it came. */
  token: string;
}

/** A snapshot as it was signed, and what was said after it. */
export interface SavedFeed {
  snapshot: Buffer;
  events: NumberedEvent[];
}

const EVENT = /^(\d{1,15}) (\S+)$/;

/**
 * A feed on disk: a line that says what it is, a snapshot, and an event a line. Nothing in it is
 * believed for being there. A line that a crash cut off is not read.
 */
export class FeedFile {
  private file: FileHandle | undefined;

  /** @param maxBytes a larger file is not read */
  constructor(
    private readonly path: string,
    private readonly origin: FeedOrigin,
    private readonly maxBytes: number,
  ) {}

  /**
   * @returns undefined when there is none
   * @throws {Error} when there is one that must not be used; the message says why
   */
  async read(): Promise<SavedFeed | undefined> {
    const bytes = await readPrivateFile(this.path, this.maxBytes);
    if (bytes === undefined) return undefined;
    const end = bytes.indexOf(LINE_FEED);
    const head = parseJsonObject(bytes.subarray(0, Math.max(0, end)));
    if (head?.format !== FORMAT || typeof head.bytes !== 'number') {
      throw new Error('it has another format');
    }
    if (head.issuer !== this.origin.issuer || head.url !== this.origin.url) {
      throw new Error('it holds the feed of another issuer');
    }
    const snapshot = bytes.subarray(end + 1, end + 1 + head.bytes);
    const whole = bytes.toString('latin1', end + 1 + head.bytes).split('\n');
    return { snapshot, events: whole.slice(0, -1).flatMap(toEvent) };
  }

  /** Replaces all of it in one step. */
  async write({ snapshot, events }: SavedFeed): Promise<void> {
    const head = JSON.stringify({ format: FORMAT, ...this.origin, bytes: snapshot.length });
    const content = [Buffer.from(`${head}\n`), snapshot, Buffer.from(toLines(events))];
    const file = await replacePrivateFile(this.path, Buffer.concat(content));
    await this.close();
    this.file = file;
  }

  /** Adds events behind what this process has written. */
  async append(events: readonly NumberedEvent[]): Promise<void> {
    await this.file?.appendFile(toLines(events));
    await this.file?.datasync();
  }

  async close(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    await file?.close();
  }
}

function toLines(events: readonly NumberedEvent[]): string {
  return events.map(({ seq, token }) => `${seq} ${token}\n`).join('');
}

function toEvent(line: string): NumberedEvent[] {
  const [, seq, token] = EVENT.exec(line) ?? [];
  return seq === undefined || token === undefined ? [] : [{ seq: Number(seq), token }];
}
