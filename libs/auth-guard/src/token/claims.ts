import { InvalidTokenError } from '../errors.js';
import type { JsonObject } from '../jws/json.js';
import type { TokenDialect } from './dialect.js';
import type { Principal } from './principal.js';
import type { TokenProfile } from './profile.js';
import { splitScope } from './scopes.js';

/** What is known of a token beside its claims. */
interface Signed {
  kid: string;
  now: number;
}

/**
 * Checks the claims of an access token against RFC 9068 section 2.2 and the profile, and reads the
 * principal out of them. Whether the token has expired is asked at every use: see `isExpired`.
 *
 * @param signed by which key (`kid`), and when it is now, in seconds since the epoch
 * @throws {InvalidTokenError} `token_issuer_invalid`, `token_audience_invalid`,
 *   `token_not_yet_valid`, `token_lifetime_invalid`, `token_binding_unsupported`,
 *   `token_claims_invalid`
 */
export function readPrincipal(
  claims: JsonObject,
  profile: TokenProfile,
  signed: Signed,
): Principal {
  if (claims.iss !== profile.issuer) throw new InvalidTokenError('token_issuer_invalid');
  const standard = profile.dialect ? translate(claims, profile.dialect) : claims;
  return Object.freeze(toPrincipal(standard, claims, profile, signed));
}

/** @param claims under their standard names */
function toPrincipal(
  claims: JsonObject,
  asTheyCame: JsonObject,
  profile: TokenProfile,
  { kid, now }: Signed,
): Principal {
  const audience = readAudience(claims, profile);
  const { issuedAt, expiresAt } = readTimes(claims, profile, now);
  const subject = requiredText(claims.sub, 'sub');
  const clientId = requiredText(claims.client_id, 'client_id');
  const kind = subject === clientId ? 'service' : 'user';
  const sessionId = optionalText(claims.sid, 'sid');
  const authTime = optionalTime(claims.auth_time, 'auth_time');
  if (kind === 'service' && (sessionId !== undefined || authTime !== undefined)) {
    // RFC 9068 section 5: a user whose id can be made to equal a client's must not become it.
    throw invalid('A token whose sub equals its client_id belongs to no login.');
  }
  return {
    kind,
    issuer: profile.issuer,
    subject,
    clientId,
    sessionId,
    roles: optionalTexts(claims.roles, 'roles') ?? NONE,
    scopes: readScopes(claims),
    audience,
    issuedAt,
    expiresAt,
    tokenId: requiredText(claims.jti, 'jti'),
    keyId: kid,
    authTime,
    acr: optionalText(claims.acr, 'acr'),
    amr: optionalTexts(claims.amr, 'amr'),
    boundTo: readBinding(asTheyCame, profile),
    attributes: readAttributes(asTheyCame, profile),
    claims: asTheyCame,
  };
}

/** The token's claims under their standard names; a service's subject is its client. */
function translate(claims: JsonObject, dialect: TokenDialect): JsonObject {
  const { kind, claims: standard } = dialect.read(claims);
  for (const value of Object.values(standard)) Object.freeze(value);
  if (kind === 'service') {
    return { ...standard, sub: standard.client_id, sid: undefined, auth_time: undefined };
  }
  if (standard.sub === standard.client_id) {
    throw invalid("A user's token must not be about its client.");
  }
  return standard;
}

/** Whether a token that expires at `expiresAt` is over. All times in seconds. */
export function isExpired(
  expiresAt: number,
  { clockTolerance }: TokenProfile,
  now: number,
): boolean {
  return now >= expiresAt + clockTolerance;
}

const NONE: readonly string[] = Object.freeze([]);

function readAudience({ aud }: JsonObject, profile: TokenProfile): readonly string[] {
  // One name, as most tokens have it: the list was made with the profile.
  const audience: unknown = typeof aud === 'string' ? profile.audience.get(aud) : aud;
  if (!isTexts(audience) || !audience.some((name) => profile.audience.has(name))) {
    throw new InvalidTokenError('token_audience_invalid');
  }
  return audience;
}

function readTimes(claims: JsonObject, profile: TokenProfile, now: number) {
  const expiresAt = requiredTime(claims.exp, 'exp');
  const issuedAt = requiredTime(claims.iat, 'iat');
  const notBefore = optionalTime(claims.nbf, 'nbf') ?? issuedAt;
  if (Math.max(issuedAt, notBefore) > now + profile.clockTolerance) {
    throw new InvalidTokenError('token_not_yet_valid');
  }
  if (expiresAt <= issuedAt || expiresAt - issuedAt > profile.maxTokenLifetime) {
    throw new InvalidTokenError('token_lifetime_invalid', {
      detail: `An access token lives for at most ${profile.maxTokenLifetime} seconds.`,
    });
  }
  return { issuedAt, expiresAt };
}

/**
 * The key that a token is bound to. A binding that cannot be checked refuses the token: to leave it
 * unchecked would turn a bound token into one for everybody (RFC 7800 section 3.1, RFC 9449 section 7.2).
 */
function readBinding({ cnf }: JsonObject, { boundTokens }: TokenProfile): string | undefined {
  if (cnf === undefined) return undefined;
  if (!boundTokens) throw new InvalidTokenError('token_binding_unsupported');
  const binding = typeof cnf === 'object' && cnf !== null ? (cnf as JsonObject) : {};
  const { jkt } = binding;
  const alone = Object.keys(binding).length === 1;
  if (alone && typeof jkt === 'string' && THUMBPRINT.test(jkt)) return jkt;
  throw new InvalidTokenError('token_binding_unsupported');
}

/** A SHA-256 in base64url, as RFC 9449 section 6.1 has it. */
const THUMBPRINT = /^[\w-]{43}$/;

function readAttributes(claims: JsonObject, { attributes }: TokenProfile): Principal['attributes'] {
  if (!attributes) return NO_ATTRIBUTES;
  try {
    return Object.freeze({ ...attributes(claims) });
  } catch (cause) {
    throw new InvalidTokenError('token_claims_invalid', {
      detail: 'The claims are not what this service needs.',
      cause,
    });
  }
}

const NO_ATTRIBUTES: Principal['attributes'] = Object.freeze({});

function readScopes({ scope }: JsonObject): readonly string[] {
  if (scope === undefined || scope === '') return NONE;
  return (typeof scope === 'string' ? splitScope(scope) : undefined) ?? fail('scope');
}

function requiredText(value: unknown, name: string): string {
  return optionalText(value, name) ?? fail(name);
}

function optionalText(value: unknown, name: string): string | undefined {
  if (value === undefined || isText(value)) return value;
  throw invalidClaim(name);
}

function optionalTexts(value: unknown, name: string): readonly string[] | undefined {
  if (value === undefined || isTexts(value)) return value;
  throw invalidClaim(name);
}

function requiredTime(value: unknown, name: string): number {
  return optionalTime(value, name) ?? fail(name);
}

/** RFC 7519 section 2, NumericDate; whole seconds, as every issuer writes them. */
function optionalTime(value: unknown, name: string): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0)) {
    return value as number | undefined;
  }
  throw invalidClaim(name);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isTexts(value: unknown): value is readonly string[] {
  if (!Array.isArray(value)) return false;
  return value.every(isText);
}

function fail(name: string): never {
  throw invalidClaim(name);
}

function invalidClaim(name: string): InvalidTokenError {
  return invalid(`The claim ${name} is missing or not of its type.`);
}

function invalid(detail: string): InvalidTokenError {
  return new InvalidTokenError('token_claims_invalid', { detail });
}
