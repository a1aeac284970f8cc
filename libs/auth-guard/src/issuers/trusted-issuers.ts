import type { Verifier } from '../authentication/authenticator.js';
import { AuthGuardConfigurationError, InvalidTokenError } from '../errors.js';
import { decodePart, splitCompact } from '../jws/compact.js';
import type { KeySource, KeyStatus } from '../keys/key-source.js';
import type { RevocationFollowerStatus } from '../revocation/follower.js';
import type { IssuerRevocations } from '../revocation/issuer-revocations.js';
import type { Principal } from '../token/principal.js';
import type { TokenCounts, TokenVerifier } from '../token/verifier.js';

/** An issuer, and what tells its good tokens. */
export interface TrustedIssuer {
  /** `iss` of its tokens. */
  issuer: string;
  /** Where its keys come from. */
  keys: KeySource;
  /** Knows its keys and its terms, and nobody else's. */
  verifier: TokenVerifier;
  /** What it has taken back. */
  revocations?: IssuerRevocations;
}

/** What one issuer's keys and tokens are like, for metrics. */
export interface IssuerStatus {
  /** `iss` of its tokens. */
  issuer: string;
  /** Good tokens since the start. */
  tokens: TokenCounts;
  /** Undefined for keys that were given and do not change. */
  keys: KeyStatus | undefined;
  /** How its revocation feed is followed; undefined without one. */
  revocation: RevocationFollowerStatus | undefined;
}

/**
 * The issuers whose tokens are accepted. With several, a token's `iss` says whose verifier is asked, and
 * that verifier trusts its own issuer's keys and nobody else's: a token that names another issuer than
 * the one who signed it has a wrong signature.
 */
export class TrustedIssuers implements Verifier {
  private readonly verifiers: ReadonlyMap<unknown, Verifier>;
  private readonly only: Verifier | undefined;

  /** @throws {AuthGuardConfigurationError} when two have one name */
  constructor(private readonly issuers: readonly [TrustedIssuer, ...TrustedIssuer[]]) {
    this.verifiers = new Map(issuers.map(({ issuer, verifier }) => [issuer, verifier]));
    if (this.verifiers.size < issuers.length) {
      throw new AuthGuardConfigurationError('otherIssuers: expected each issuer once.');
    }
    this.only = issuers.length === 1 ? issuers[0].verifier : undefined;
  }

  /**
   * Asks the verifier of the issuer that the token names.
   *
   * @throws {AuthError}
   */
  verify(token: string): Principal | Promise<Principal> {
    if (this.only) return this.only.verify(token);
    // Nothing is believed here yet: who lies about `iss` is asked for a signature of that issuer.
    const { iss } = decodePart(splitCompact(token).payload);
    const verifier = this.verifiers.get(iss);
    if (!verifier) throw new InvalidTokenError('token_issuer_invalid');
    return verifier.verify(token);
  }

  /** Good tokens of all issuers since the start, by how that was known. */
  get counts(): TokenCounts {
    const counts = this.issuers.map(({ verifier }) => verifier.counts);
    return {
      remembered: counts.reduce((sum, { remembered }) => sum + remembered, 0),
      verified: counts.reduce((sum, { verified }) => sum + verified, 0),
    };
  }

  /** Calls `listener` when a key is withdrawn, with what tells whose tokens it signed. */
  onKeyWithdrawn(listener: (concerns: (principal: Principal) => boolean) => void): void {
    for (const { issuer, keys } of this.issuers) {
      keys.onWithdrawn?.((kid) =>
        listener((principal) => principal.issuer === issuer && principal.keyId === kid),
      );
    }
  }

  /**
   * Whether the key that signed the token of `principal` is still one of its issuer's.
   *
   * @throws {KeysUnavailableError} when it cannot be told
   */
  async hasKeyOf({ issuer, keyId }: Principal): Promise<boolean> {
    const trusted = this.issuers.find((other) => other.issuer === issuer);
    return (await trusted?.keys.getKey(keyId)) !== undefined;
  }

  /** One entry for each issuer, in the order of the options. */
  status(): IssuerStatus[] {
    return this.issuers.map(({ issuer, keys, verifier, revocations }) => ({
      issuer,
      tokens: verifier.counts,
      keys: keys.status?.(),
      revocation: revocations?.status,
    }));
  }

  /** Fetches what keys have to be fetched, before the application serves. */
  async start(): Promise<void> {
    await Promise.all(this.issuers.map(async ({ keys }) => keys.start?.()));
  }

  /** Ends what goes on in the background. */
  async close(): Promise<void> {
    await Promise.all(this.issuers.map(async ({ keys }) => keys.close?.()));
  }
}
