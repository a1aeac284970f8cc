import { AuthGuardConfigurationError } from '../errors.js';
import { ACCESS_TOKEN_TYPES } from '../jws/header.js';
import type { TokenTypes } from '../jws/header.js';
import type { JsonObject } from '../jws/json.js';
import type { TokenDialect } from './dialect.js';

/** What the verifier demands of a token beyond its form. */
export interface TokenProfileOptions {
  /** The one issuer whose tokens are accepted; compared with `iss` character by character. */
  issuer: string;
  /** The audiences this service answers to. A token must name at least one of them in `aud`. */
  audience: string | readonly string[];
  /**
   * How far the issuer's clock and ours may differ, in seconds: 0 to 60, 5 by default; with a revocation
   * feed at least 1. Each second is one more that an expired token is accepted.
   */
  clockTolerance?: number;
  /**
   * The longest time from `iat` to `exp` that is accepted, in seconds: up to 86,400, 3,600 by
   * default. A longer one keeps a stolen token useful for longer, and roles outdated for longer.
   */
  maxTokenLifetime?: number;
  /** For an issuer that does not keep to RFC 9068. None by default; see what each one costs. */
  dialect?: TokenDialect;
  /**
   * Reads what your tokens say beyond the standard into `principal.attributes`. Called when a token
   * is verified, after everything else has proved right; a token that is remembered keeps what it gave. What
   * it throws refuses the token.
   *
   * @example
   * attributes: (claims) => z.object({ tenant: z.uuid() }).parse(claims)
   */
  attributes?: (claims: JsonObject) => object;
  /**
   * Accepts tokens that are bound to a key with `cnf.jkt` (RFC 9449), and says so in
   * `principal.boundTo`. Whoever asks for this must check the proof: without that, a bound token opens
   * as much in a thief's hand. False by default; the guard's option `dpop` does both.
   */
  boundTokens?: boolean;
}

/** The options, checked and complete. Times in seconds. */
export interface TokenProfile {
  readonly issuer: string;
  /** Each accepted name, and the list of it alone. */
  readonly audience: ReadonlyMap<string, readonly string[]>;
  readonly clockTolerance: number;
  readonly maxTokenLifetime: number;
  /** The accepted values of the header's `typ`. */
  readonly types: TokenTypes;
  readonly dialect: TokenDialect | undefined;
  readonly attributes: ((claims: JsonObject) => object) | undefined;
  readonly boundTokens: boolean;
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
    audience: new Map(audience.map((name) => [name, Object.freeze([name])])),
    clockTolerance: seconds('clockTolerance', options.clockTolerance ?? 5, 0, 60),
    maxTokenLifetime: seconds('maxTokenLifetime', options.maxTokenLifetime ?? 3600, 1, 86_400),
    types: options.dialect ? new Set(options.dialect.types) : ACCESS_TOKEN_TYPES,
    dialect: options.dialect,
    attributes: options.attributes,
    boundTokens: options.boundTokens ?? false,
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
