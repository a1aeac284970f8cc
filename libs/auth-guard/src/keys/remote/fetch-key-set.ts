import { parseJsonObject } from '../../jws/json.js';
import type { JsonObject } from '../../jws/json.js';

/** Larger than any real key set; what it stops is a response that never ends. */
const MAX_BYTES = 64 * 1024;

export interface FetchKeySetOptions {
  url: string;
  /** Milliseconds for the whole exchange. */
  timeout: number;
  signal: AbortSignal;
  fetch: typeof fetch;
}

export interface FetchedKeySet {
  /** The parsed body: any object yet. */
  set: JsonObject;
  /** Seconds for which the answer says it is fresh; undefined when it does not say. */
  maxAge: number | undefined;
}

/**
 * Gets a key set by HTTP: one request, no redirects (they would move trust to a place nobody
 * configured), bounded in time and size.
 *
 * @throws {Error} whose message says what went wrong
 */
export async function fetchKeySet(options: FetchKeySetOptions): Promise<FetchedKeySet> {
  const response = await options.fetch(options.url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'error',
    signal: AbortSignal.any([options.signal, AbortSignal.timeout(options.timeout)]),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`status ${response.status} instead of 200`);
  }
  const set = parseJsonObject(await readBody(response));
  if (!set) throw new Error('a body that is not one JSON object');
  return { set, maxAge: freshness(response.headers) };
}

async function readBody(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    const bytes = chunk as Uint8Array;
    size += bytes.byteLength;
    if (size > MAX_BYTES) throw new Error(`a body of more than ${MAX_BYTES} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** What is left of `max-age` (RFC 9111 section 4.2); 0 when the answer asks not to be kept. */
function freshness(headers: Headers): number | undefined {
  const cacheControl = headers.get('cache-control') ?? '';
  if (/\bno-(?:store|cache)\b/i.test(cacheControl)) return 0;
  const maxAge = /\bmax-age=(\d{1,9})\b/i.exec(cacheControl)?.[1];
  if (maxAge === undefined) return undefined;
  const age = /^\d{1,9}$/.exec(headers.get('age') ?? '')?.[0] ?? '0';
  return Math.max(0, Number(maxAge) - Number(age));
}
