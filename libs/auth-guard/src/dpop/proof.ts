import { createHash } from 'node:crypto';
import { InvalidTokenError } from '../errors.js';
import { decodePart, splitCompact } from '../jws/compact.js';
import type { CompactJws } from '../jws/compact.js';
import type { JsonObject } from '../jws/json.js';
import { isSignedBy, proofKey } from './proof-key.js';
import type { DpopAlgorithm, ProofKey } from './proof-key.js';
import { isMadeFor } from './target.js';
import type { PublicUrl } from './target.js';

/** What a proof has to match. */
export interface ProofExpectations {
  method: string;
  /** The request target, such as `/orders?limit=10`. */
  target: string;
  token: string;
  /** `cnf.jkt` of the token. */
  thumbprint: string;
  publicUrls: readonly PublicUrl[];
  algorithms: readonly DpopAlgorithm[];
  /** Seconds. */
  proofLifetime: number;
  /** Seconds since the epoch. */
  now: number;
}

/** What is left to ask about a proof that matches: whether it is new, and its nonce. */
export interface CheckedProof {
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly nonce: unknown;
}

/** How far ahead the client's clock may be, in seconds. */
const CLOCK_TOLERANCE = 5;
const MAX_JTI_LENGTH = 256;

/**
 * Checks a proof of possession by RFC 9449 section 4.3, but for the nonce and for whether it was used
 * before.
 *
 * @throws {InvalidTokenError} `dpop_proof_invalid`, or `token_binding_mismatch` when it proves the
 *   possession of another key than the token's
 */
export function checkProof(proof: string, expected: ProofExpectations): CheckedProof {
  const jws = parsed(() => splitCompact(proof));
  const key = checkHeader(
    parsed(() => decodePart(jws.header)),
    expected.algorithms,
  );
  if (!isSignedBy(jws, key)) throw invalid('Its signature is wrong.');
  const claims = checkClaims(jws, expected);
  if (key.thumbprint !== expected.thumbprint) throw new InvalidTokenError('token_binding_mismatch');
  return claims;
}

function checkHeader(header: JsonObject, algorithms: readonly DpopAlgorithm[]): ProofKey {
  const alg = algorithms.find((name) => name === header.alg);
  if (header.typ !== 'dpop+jwt') throw invalid('Its typ is not dpop+jwt.');
  if (!alg) throw invalid(`Its alg is none of ${algorithms.join(', ')}.`);
  for (const parameter of ['crit', 'b64', 'zip'] as const) {
    if (Object.hasOwn(header, parameter)) throw invalid(`It has the parameter ${parameter}.`);
  }
  return proofKey(header.jwk, alg) ?? invalidKey(alg);
}

function checkClaims(jws: CompactJws, expected: ProofExpectations): CheckedProof {
  const { jti, htm, htu, iat, ath, nonce } = parsed(() => decodePart(jws.payload));
  const { method, target, publicUrls, token, now, proofLifetime } = expected;
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH) {
    throw invalid('It has no jti.');
  }
  if (htm !== method) throw invalid('Its htm is not the method of the request.');
  if (typeof htu !== 'string' || !isMadeFor(htu, target, publicUrls)) {
    throw invalid('Its htu is not the address of the request.');
  }
  if (typeof iat !== 'number' || iat > now + CLOCK_TOLERANCE || iat <= now - proofLifetime) {
    throw invalid('Its iat is not now.');
  }
  if (ath !== createHash('sha256').update(token).digest('base64url')) {
    throw invalid('Its ath is not the hash of the access token.');
  }
  return { jti, issuedAt: iat, nonce };
}

/** What breaks the form of a proof is the proof's fault, not the token's. */
function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof InvalidTokenError)) throw cause;
    throw invalid('It is not a JWT.', cause);
  }
}

function invalidKey(alg: string): never {
  throw invalid(`Its jwk is not a public key for ${alg}.`);
}

function invalid(reason: string, cause?: Error): InvalidTokenError {
  const detail = `The DPoP proof is not accepted. ${reason}`;
  return new InvalidTokenError('dpop_proof_invalid', { detail, cause });
}
