import type { KeyObject } from 'node:crypto';
import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import { AuthGuardConfigurationError, InvalidTokenError } from '../errors.js';
import { decodePart, splitCompact, verifySignature } from '../jws/compact.js';
import type { CompactJws } from '../jws/compact.js';
import { checkHeader, KnownHeaders } from '../jws/header.js';
import type { KeySource } from '../keys/key-source.js';
import { assertVerificationKey } from '../keys/rsa.js';
import { isExpired, readPrincipal } from './claims.js';
import { tokenProfile } from './profile.js';
import type { TokenProfile, TokenProfileOptions } from './profile.js';
import type { Principal } from './principal.js';
import { SeenTokens } from './seen-tokens.js';
import { VerifiedTokens } from './verified-tokens.js';
import type { VerifiedToken } from './verified-tokens.js';

/** Says which tokens are void before their time. */
export interface RevocationCheck {
  /**
   * Asked on every use of a token, repeated ones included, so it must answer from memory. What it
   * throws refuses the token.
   */
  isRevoked(principal: Principal): boolean;
}

/** What a verifier is told; strict in whatever it is not told. */
export interface TokenVerifierOptions extends TokenProfileOptions {
  /** Where the issuer's keys come from: see `keySource()`. */
  keys: KeySource;
  /** Nothing is revoked when absent: a token is then good until it expires. */
  revocation?: RevocationCheck;
  /**
   * How many verified tokens of up to 1 KiB are remembered (fewer of larger ones): up to 1,000,000,
   * 10,000 by default, and 0 to verify each one each time. An entry costs about 2 KiB. A token is
   * remembered when it comes for the second time, so that those that come once cost no memory.
   */
  cacheSize?: number;
  /** The system's by default; another one in tests. */
  clock?: Clock;
}

/** Good tokens, by how that was known. */
export interface TokenCounts {
  /** Known from an earlier use. */
  remembered: number;
  /** Known by their signature. */
  verified: number;
}

const DEFAULT_CACHE_SIZE = 10_000;
const MAX_CACHE_SIZE = 1_000_000;

/**
 * Verifies access tokens (RFC 9068) by the strict profile: RS256, `at+jwt`, every required claim of
 * its type, nothing that two parsers could read differently. Knows nothing of HTTP or Nest.
 *
 * @example
 * const verifier = new TokenVerifier({ issuer, audience: 'urn:signet:api', keys });
 * const principal = await verifier.verify(token);
 */
export class TokenVerifier {
  private readonly profile: TokenProfile;
  private readonly keys: KeySource;
  private readonly revocation: RevocationCheck | undefined;
  private readonly clock: Clock;
  private readonly verified: VerifiedTokens;
  private readonly seen: SeenTokens;
  private readonly headers = new KnownHeaders();
  private readonly checkedKeys = new WeakSet<KeyObject>();
  private remembered = 0;
  private verifiedAnew = 0;

  constructor(options: TokenVerifierOptions) {
    this.profile = tokenProfile(options);
    this.keys = options.keys;
    this.revocation = options.revocation;
    this.clock = options.clock ?? systemClock;
    const size = checkedSize(options.cacheSize ?? DEFAULT_CACHE_SIZE);
    this.verified = new VerifiedTokens(size);
    this.seen = new SeenTokens(size);
  }

  /**
   * Verifies one token. Answers at once unless the key has to be waited for, which happens only when
   * a key is new: `await` it either way.
   *
   * @throws {InvalidTokenError} the token is not acceptable
   * @throws {KeysUnavailableError} it cannot be told whether it is
   */
  verify(token: string): Principal | Promise<Principal> {
    const known = this.verified.get(token);
    if (!known) return this.verifyAnew(token);
    // A remembered token is only as good as its key is now: a key that was withdrawn or replaced
    // takes its tokens with it at once.
    return withKey(this.keys.getKey(known.kid), (key) => {
      if (key === known.key) {
        const principal = this.admit(known, this.now());
        this.remembered += 1;
        return principal;
      }
      this.verified.delete(known);
      return this.verifyAnew(token);
    });
  }

  /** Good tokens since the start, by how that was known. */
  get counts(): TokenCounts {
    return { remembered: this.remembered, verified: this.verifiedAnew };
  }

  private verifyAnew(token: string): Principal | Promise<Principal> {
    const jws = splitCompact(token);
    const kid = this.headers.get(jws.header) ?? this.checkHeader(jws.header);
    return withKey(this.keys.getKey(kid), (key) => {
      if (!key) throw new InvalidTokenError('token_key_unknown');
      return this.verifyWithKey(token, jws, { kid, key });
    });
  }

  private checkHeader(header: string): string {
    return checkHeader(decodePart(header), this.profile.types).kid;
  }

  private verifyWithKey(
    token: string,
    jws: CompactJws,
    { kid, key }: { kid: string; key: KeyObject },
  ): Principal {
    this.checkKey(key);
    verifySignature(jws, key);
    this.headers.remember(jws.header, kid);
    const now = this.now();
    const principal = readPrincipal(decodePart(jws.payload), this.profile, { kid, now });
    const verified = { token, principal, kid, key };
    this.admit(verified, now);
    if (this.seen.comesAgain(token)) this.verified.set(verified);
    this.verifiedAnew += 1;
    return principal;
  }

  /** What may have changed since a token was verified. */
  private admit(verified: VerifiedToken, now: number): Principal {
    const { principal } = verified;
    if (isExpired(principal.expiresAt, this.profile, now)) {
      this.verified.delete(verified);
      throw new InvalidTokenError('token_expired');
    }
    if (this.revocation?.isRevoked(principal)) {
      this.verified.delete(verified);
      throw new InvalidTokenError('token_revoked');
    }
    return principal;
  }

  /** A key source of one's own may hand over any key: each is looked at once. */
  private checkKey(key: KeyObject): void {
    if (this.checkedKeys.has(key)) return;
    assertVerificationKey(key);
    this.checkedKeys.add(key);
  }

  private now(): number {
    return this.clock.now() / 1000;
  }
}

function checkedSize(size: number): number {
  if (Number.isInteger(size) && size >= 0 && size <= MAX_CACHE_SIZE) return size;
  throw new AuthGuardConfigurationError(`cacheSize: expected 0 to ${MAX_CACHE_SIZE} entries.`);
}

/** Goes on at once when the key is at hand, and with a promise when it is not. */
function withKey(
  key: ReturnType<KeySource['getKey']>,
  use: (key: KeyObject | undefined) => Principal | Promise<Principal>,
): Principal | Promise<Principal> {
  return key && 'then' in key ? Promise.resolve(key).then(use) : use(key);
}
