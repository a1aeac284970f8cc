import { AuthGuardConfigurationError } from '../errors.js';

/** What the verifier demands of a token beyond its form. */
export interface TokenProfileOptions {
  /** The one issuer whose tokens are accepted; compared with `iss` character by character. */
  issuer: string;
  /** The audiences this service answers to. A token must name at least one of them in `aud`. */
  audience: string | readonly string[];
  /**
   * How far the issuer's clock and ours may differ, in seconds: 0 to 60, 5 by default. Each second
   * is one more that an expired token is accepted.
   */
  clockTolerance?: number;
  /**
   * The longest time from `iat` to `exp` that is accepted, in seconds: up to 86,400, 3,600 by
   * default. A longer one keeps a stolen token useful for longer, and roles outdated for longer.
   */
  maxTokenLifetime?: number;
}

/** The options, checked and complete. Times in seconds. */
export interface TokenProfile {
  readonly issuer: string;
  readonly audience: ReadonlySet<string>;
  readonly clockTolerance: number;
  readonly maxTokenLifetime: number;
}

/** @throws {AuthGuardConfigurationError} naming the option that is missing or out of bounds */
export function tokenProfile(options: TokenProfileOptions): TokenProfile {
  const audience = typeof options.audience === 'string' ? [options.audience] : options.audience;
  if (!isName(options.issuer)) throw wrong('issuer', 'the issuer identifier, such as a URL');
  if (!Array.isArray(audience) || audience.length === 0 || !audience.every(isName)) {
    throw wrong('audience', 'at least one audience that this service answers to');
  }
  return {
    issuer: options.issuer,
    audience: new Set(audience),
    clockTolerance: seconds('clockTolerance', options.clockTolerance ?? 5, 0, 60),
    maxTokenLifetime: seconds('maxTokenLifetime', options.maxTokenLifetime ?? 3600, 1, 86_400),
  };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function seconds(name: string, value: number, least: number, most: number): number {
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  throw wrong(name, `${least} to ${most} seconds`);
}

function wrong(option: string, expected: string): AuthGuardConfigurationError {
  return new AuthGuardConfigurationError(`${option}: expected ${expected}.`);
}
