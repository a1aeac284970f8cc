import { FeedRefusal } from './refusal.js';

/** One event of a server-sent stream (WHATWG HTML section 9.2). */
export interface StreamEvent {
  /** `message` unless it says otherwise. */
  type: string;
  data: string;
}

/** Larger than any message of a feed; what it stops is a line that never ends. */
const MAX_BUFFERED = 32 * 1024;

/**
 * Reads server-sent events out of chunks of a body. Knows `event` and `data`, of which a feed sends one
 * line each, and passes over everything else.
 *
 * @throws {FeedRefusal} `oversized`
 */
export class EventStreamReader {
  private rest = '';
  private type = '';
  private data: string | undefined;

  *read(chunk: Uint8Array): Generator<StreamEvent> {
    const text =
      this.rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      const line = text.slice(start, text[end - 1] === '\r' ? end - 1 : end);
      start = end + 1;
      if (line === '') yield* this.dispatch();
      else this.take(line);
    }
    this.rest = text.slice(start);
    if (this.rest.length > MAX_BUFFERED) throw new FeedRefusal('oversized');
  }

  private take(line: string): void {
    if (line.length > MAX_BUFFERED) throw new FeedRefusal('oversized');
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.type = value;
    if (field === 'data') this.data = value;
  }

  private *dispatch(): Generator<StreamEvent> {
    const { type, data } = this;
    this.type = '';
    this.data = undefined;
    if (data !== undefined) yield { type: type || 'message', data };
  }
}
