import { AuthGuardConfigurationError } from '../../errors.js';

/** Keys that an issuer publishes as a JWK set. */
export interface RemoteKeysOptions {
  /**
   * Where the issuer publishes its keys. `https:`, or `http:` to this machine; see
   * `allowPlainHttp`.
   */
  jwksUri: string;
  /**
   * A file that keeps the last good set, so that the service can start and verify while the issuer
   * is down. Readable and writable by this process alone. None by default.
   */
  snapshotPath?: string | undefined;
  /**
   * Accepts `http:` to other machines. Whoever is on the way can then put in keys of their own: only
   * for networks in which nobody is. False by default.
   */
  allowPlainHttp?: boolean;
  /**
   * The longest time between two refreshes, in seconds, and so the longest that a withdrawn key is
   * still accepted: 30 to 3,600, 300 by default. A shorter `Cache-Control: max-age` is honoured down
   * to 5 seconds.
   */
  refreshInterval?: number;
  /**
   * For how long after the last good answer the keys are used while the issuer cannot be reached, in
   * seconds: up to 86,400, 3,600 by default. Then requests are answered with 503. The longer, the
   * longer a withdrawn key can be kept alive by whoever can keep the issuer from being heard.
   */
  maxStale?: number;
  /**
   * The shortest time between two fetches that tokens with an unknown `kid` can cause, in seconds: 1
   * to 300, 10 by default.
   */
  unknownKeyCooldown?: number;
  /** Seconds that one fetch may take: 1 to 60, 5 by default. */
  fetchTimeout?: number;
  /** For a proxy or client certificates; the global `fetch` by default. */
  fetch?: typeof fetch;
}

/** The options, checked and complete. Times in milliseconds. */
export interface RemoteKeysSettings {
  readonly jwksUri: string;
  readonly snapshotPath: string | undefined;
  readonly refreshInterval: number;
  readonly maxStale: number;
  readonly unknownKeyCooldown: number;
  readonly fetchTimeout: number;
  readonly fetch: typeof fetch;
}

/** @throws {AuthGuardConfigurationError} naming the option that is missing or out of bounds */
export function remoteKeysSettings(options: RemoteKeysOptions): RemoteKeysSettings {
  const refreshInterval = milliseconds('refreshInterval', options.refreshInterval ?? 300, 30, 3600);
  return {
    jwksUri: checkedUri(options),
    snapshotPath: options.snapshotPath,
    refreshInterval,
    maxStale: milliseconds('maxStale', options.maxStale ?? 3600, refreshInterval / 1000, 86_400),
    unknownKeyCooldown: milliseconds(
      'unknownKeyCooldown',
      options.unknownKeyCooldown ?? 10,
      1,
      300,
    ),
    fetchTimeout: milliseconds('fetchTimeout', options.fetchTimeout ?? 5, 1, 60),
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
  };
}

function checkedUri({ jwksUri, allowPlainHttp }: RemoteKeysOptions): string {
  const uri = URL.parse(jwksUri);
  if (!uri || !['https:', 'http:'].includes(uri.protocol) || uri.username || uri.password) {
    throw wrong('jwksUri', 'an https: URL without credentials');
  }
  if (uri.protocol === 'http:' && !isThisMachine(uri.hostname) && allowPlainHttp !== true) {
    throw wrong(
      'jwksUri',
      `https: for ${uri.hostname}, or keys.allowPlainHttp where nobody can change what passes`,
    );
  }
  return uri.href;
}

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
}

function milliseconds(name: string, value: number, least: number, most: number): number {
  if (Number.isFinite(value) && value >= least && value <= most) return value * 1000;
  throw wrong(name, `${least} to ${most} seconds`);
}

function wrong(option: string, expected: string): AuthGuardConfigurationError {
  return new AuthGuardConfigurationError(`keys.${option}: expected ${expected}.`);
}
