import type { JsonWebKey, KeyObject } from 'node:crypto';
import { InvalidTokenError } from '../errors.js';
import { decodePart, splitCompact, verifySignature } from '../jws/compact.js';
import { checkProtection } from '../jws/header.js';
import { readKeySet } from '../keys/jwk-set.js';

/** Project Wycheproof's `json_web_signature_schema_v1.json`, as far as it is read here. */
export interface WycheproofFile {
  testGroups: readonly WycheproofGroup[];
}

export interface WycheproofGroup {
  comment: string;
  public?: JsonWebKey;
  /** The key of a symmetric group, which has no public one. */
  private?: JsonWebKey;
  tests: readonly WycheproofTest[];
}

export interface WycheproofTest {
  tcId: number;
  comment: string;
  /** Compact serialization, or an object of the JSON serialization. */
  jws: unknown;
  result: 'valid' | 'invalid' | 'acceptable';
}

/** A vector whose outcome differs from what Wycheproof expects. */
export interface Deviation {
  tcId: number;
  comment: string;
  /** Why it was refused, or `accepted`: the one that must not happen. */
  reason: string;
}

export interface Conformance {
  accepted: number;
  refused: number;
  /** Vectors that are called valid and were refused: what the strict profile costs. */
  refusedValid: readonly Deviation[];
  /** Vectors that are called invalid and were accepted. Must be empty. */
  acceptedInvalid: readonly Deviation[];
}

/** Runs every vector of a file through the signature layer of the verifier. */
export function runWycheproof({ testGroups }: WycheproofFile): Conformance {
  const outcomes = testGroups.flatMap((group) => {
    const keys = keysOf(group);
    return group.tests.map((test) => ({ test, reason: refusal(test.jws, keys) }));
  });
  const deviations = (result: string, accepted: boolean): Deviation[] =>
    outcomes
      .filter(({ test, reason }) => test.result === result && (reason === undefined) === accepted)
      .map(({ test: { tcId, comment }, reason = 'accepted' }) => ({ tcId, comment, reason }));
  const accepted = outcomes.filter(({ reason }) => reason === undefined).length;
  return {
    accepted,
    refused: outcomes.length - accepted,
    refusedValid: deviations('valid', false),
    acceptedInvalid: deviations('invalid', true),
  };
}

/** The group's key if it may verify RS256; a published key that does not say its use is not ours. */
function keysOf({ public: publicKey, private: privateKey }: WycheproofGroup): KeyObject[] | string {
  const jwk = publicKey ?? privateKey;
  try {
    const { keys, warnings } = readKeySet({ keys: [{ use: 'sig', ...jwk }] });
    return warnings[0] ?? [...keys.values()];
  } catch (error) {
    return (error as Error).message;
  }
}

/** Why a vector is refused; undefined when it is accepted. */
function refusal(jws: unknown, keys: KeyObject[] | string): string | undefined {
  if (typeof jws !== 'string') return 'not in compact serialization';
  try {
    const parts = splitCompact(jws);
    checkProtection(decodePart(parts.header));
    if (typeof keys === 'string') return keys;
    for (const key of keys) verifySignature(parts, key);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidTokenError) return error.code;
    throw error;
  }
}
