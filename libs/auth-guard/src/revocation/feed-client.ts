import type { RevocationFeedSettings } from './options.js';

/** Larger than `maxEntries` lines of ordinary length can be. */
const BYTES_PER_ENTRY = 96;
const SMALL_SNAPSHOT = 1024 * 1024;

/** What we would go on from is not kept any more (RFC 9110 section 15.5.11). */
export class PlaceLostError extends Error {}

/** Asks the issuer for its feed. Nothing of what it answers has been verified. */
export class FeedClient {
  /** The longest snapshot that is read. Bytes. */
  readonly maxSnapshotBytes: number;

  constructor(private readonly settings: RevocationFeedSettings) {
    this.maxSnapshotBytes = SMALL_SNAPSHOT + settings.maxEntries * BYTES_PER_ENTRY;
  }

  async snapshot(signal: AbortSignal): Promise<Buffer> {
    const response = await this.request(this.settings.snapshotUrl, signal, {
      accept: 'text/plain',
    });
    return readBody(response, this.maxSnapshotBytes);
  }

  /**
   * The events that come after number `seq`, as they arrive.
   *
   * @throws {PlaceLostError} when the issuer does not have all of them any more
   */
  async events(seq: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.request(this.settings.streamUrl, signal, {
      accept: 'text/event-stream',
      'last-event-id': String(seq),
    });
    return chunksOf(response);
  }

  private async request(
    url: string,
    signal: AbortSignal,
    headers: Record<string, string>,
  ): Promise<Response> {
    const response = await this.settings.fetch(url, { headers, redirect: 'error', signal });
    if (response.status === 200) return response;
    await response.body?.cancel();
    const message = `status ${response.status} instead of 200`;
    throw response.status === 410 ? new PlaceLostError(message) : new Error(message);
  }
}

async function readBody(response: Response, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const bytes of chunksOf(response)) {
    size += bytes.byteLength;
    if (size > limit) throw new Error(`a snapshot of more than ${limit} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body ?? []) yield chunk as Uint8Array;
}
