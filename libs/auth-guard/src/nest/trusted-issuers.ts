import { Logger } from '@nestjs/common';
import { TrustedIssuers } from '../issuers/trusted-issuers.js';
import type { TrustedIssuer } from '../issuers/trusted-issuers.js';
import { keySource } from '../keys/from-options.js';
import type { KeySource } from '../keys/key-source.js';
import type { Revocations } from '../revocation/revocations.js';
import { TokenVerifier } from '../token/verifier.js';
import type { AuthGuardOptions } from './options.js';

/** The issuers that the options name, each with its keys and its terms. */
export function trustedIssuers(
  { revocation: _seenTo, ...options }: AuthGuardOptions,
  keys: KeySource,
  revocations: Revocations,
): TrustedIssuers {
  const { issuer, otherIssuers = [] } = options;
  const shared = {
    ...(options.clock && { clock: options.clock }),
    // The guard checks their proofs, and refuses them where it has none to check.
    boundTokens: options.dpop !== undefined,
  };
  const revocation = revocations.isOn ? { revocation: revocations } : {};
  const own = new TokenVerifier({ ...options, ...shared, ...revocation, keys });
  const others = otherIssuers.map((other): TrustedIssuer => {
    const context = { issuer: other.issuer, log: new Logger('AuthGuard'), ...shared };
    const theirs = keySource(other.keys, context);
    const verifier = new TokenVerifier({ ...other, ...shared, keys: theirs });
    return { issuer: other.issuer, keys: theirs, verifier };
  });
  return new TrustedIssuers([{ issuer, keys, verifier: own }, ...others]);
}
