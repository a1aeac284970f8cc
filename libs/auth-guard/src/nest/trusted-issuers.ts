import { Logger } from '@nestjs/common';
import { TrustedIssuers } from '../issuers/trusted-issuers.js';
import type { TrustedIssuer } from '../issuers/trusted-issuers.js';
import { keySource } from '../keys/from-options.js';
import type { KeySource } from '../keys/key-source.js';
import { IssuerRevocations } from '../revocation/issuer-revocations.js';
import { Revocations } from '../revocation/revocations.js';
import { TokenVerifier } from '../token/verifier.js';
import type { AuthGuardOptions } from './options.js';

/** What is known about the tokens of the issuers that the options name. */
export interface KnownIssuers {
  issuers: TrustedIssuers;
  revocations: Revocations;
}

/**
 * The issuers that the options name, each with its keys, its revocations and its terms.
 *
 * @param ownKeys of the first one
 * @throws {AuthGuardConfigurationError}
 */
export function knownIssuers(
  { otherIssuers = [], ...own }: AuthGuardOptions,
  ownKeys: KeySource,
): KnownIssuers {
  const log = new Logger('AuthGuard');
  const shared = {
    ...(own.clock && { clock: own.clock }),
    // The guard checks their proofs, and refuses them where it has none to check.
    boundTokens: own.dpop !== undefined,
  };
  const known = [own, ...otherIssuers].map(({ revocation = {}, ...options }) => {
    const context = { ...options, ...shared, log };
    const keys = options.issuer === own.issuer ? ownKeys : keySource(options.keys, context);
    const revocations = new IssuerRevocations(revocation, { ...context, keys });
    const check = revocations.isOn ? { revocation: revocations } : {};
    const verifier = new TokenVerifier({ ...options, ...shared, ...check, keys });
    return { issuer: options.issuer, keys, verifier, revocations };
  });
  return {
    issuers: new TrustedIssuers(known as [TrustedIssuer, ...TrustedIssuer[]]),
    revocations: new Revocations(
      own.issuer,
      known.map(({ issuer, revocations }) => [issuer, revocations]),
    ),
  };
}
