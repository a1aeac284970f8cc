import { AuthGuardConfigurationError } from '../errors.js';
import { REVOCATION_FEED } from './feed-format.js';

/** A feed of revocations that an issuer publishes. */
export interface RevocationFeedOptions {
  /**
   * Where the snapshot is; the stream is at the same address with `/stream` after it. Plain `http:` is
   * no risk to what is believed, for everything is signed; whoever is on the way can keep it from
   * arriving, which is noticed.
   */
  url: string;
  /** `aud` of the feed's messages; `urn:signet:revocations` by default. */
  audience?: string;
  /**
   * How many entries are held, of some 200 bytes each: 1,000,000 by default. With more than that, routes
   * with `@RequireFresh()` are answered with 503 until there is room again.
   */
  maxEntries?: number;
  /**
   * File in which what was verified is kept, so that a service that starts while the feed cannot be had
   * goes on refusing what is revoked. Nothing by default. A directory that only the service can write to:
   * whoever can take the file away makes such a service forget.
   */
  snapshotPath?: string | undefined;
  /** For a proxy or client certificates; the global `fetch` by default. */
  fetch?: typeof fetch;
}

/** The options, checked and complete. */
export interface RevocationFeedSettings {
  readonly snapshotUrl: string;
  readonly streamUrl: string;
  readonly audience: string;
  readonly maxEntries: number;
  readonly snapshotPath: string | undefined;
  readonly fetch: typeof fetch;
}

/** Whoever changes roles dates the next tokens by so much ahead, so that they are not void as well. Seconds. */
const AHEAD = 1;

/** @throws {AuthGuardConfigurationError} naming the option that is missing or out of bounds */
export function revocationFeedSettings(
  options: RevocationFeedOptions,
  { clockTolerance = AHEAD }: { clockTolerance?: number },
): RevocationFeedSettings {
  const url = URL.parse(options.url);
  if (!url || !['https:', 'http:'].includes(url.protocol) || url.username || url.password) {
    throw wrong('url', 'an http(s): URL without credentials');
  }
  const { audience = REVOCATION_FEED.audience, maxEntries = 1_000_000 } = options;
  if (audience === '') throw wrong('audience', 'the audience of the feed');
  if (!Number.isInteger(maxEntries) || maxEntries < 1) throw wrong('maxEntries', '1 or more');
  if (clockTolerance < AHEAD) {
    throw new AuthGuardConfigurationError(
      `clockTolerance: expected ${AHEAD} or more with revocation.feed, because tokens may be dated` +
        ' a second ahead after a change of roles.',
    );
  }
  const streamUrl = new URL(url);
  streamUrl.pathname = `${url.pathname.replace(/\/$/, '')}/stream`;
  return {
    snapshotUrl: url.href,
    streamUrl: streamUrl.href,
    audience,
    maxEntries,
    snapshotPath: options.snapshotPath,
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
  };
}

function wrong(option: string, expected: string): AuthGuardConfigurationError {
  return new AuthGuardConfigurationError(`revocation.feed.${option}: expected ${expected}.`);
}
