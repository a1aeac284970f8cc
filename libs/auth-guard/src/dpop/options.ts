import { AuthGuardConfigurationError } from '../errors.js';
import { DPOP_ALGORITHMS } from './proof-key.js';
import type { DpopAlgorithm } from './proof-key.js';
import type { ReplayStore } from './replay-store.js';
import { publicUrl } from './target.js';
import type { PublicUrl } from './target.js';

/** Tokens that are bound to a key of their client, and its proofs of possession (RFC 9449). */
export interface DpopOptions {
  /**
   * How clients address this service: scheme, host and whatever stands before the path that the service
   * sees, such as `https://api.example.com` or `https://example.com/api`. Proofs are made out to it. It
   * is never taken from the request: `Host` is what the sender says it is.
   */
  publicUrls: string | readonly string[];
  /** Refuses tokens that are not bound to a key. False by default: both kinds are served. */
  required?: boolean;
  /** The algorithms of proofs that are accepted; all that are known by default. */
  algorithms?: readonly DpopAlgorithm[];
  /**
   * How old a proof may be, in seconds: 1 to 300, 60 by default. Each second is one more for which its
   * replay has to be remembered.
   */
  proofLifetime?: number;
  /**
   * Where it is remembered which proofs were used. By default in this process alone, so that another
   * replica of the service would accept a proof once more: share a store where that matters.
   */
  replayStore?: ReplayStore;
  /**
   * Demands a nonce of ours in each proof (RFC 9449 section 9), so that none can be made in advance.
   * `true` makes a secret of this process; replicas must share one, or clients are asked again at each.
   */
  nonce?: boolean | DpopNonceOptions;
}

/** The nonces of a service that has several replicas (RFC 9449 section 9). */
export interface DpopNonceOptions {
  /** At least 32 bytes, the same in every replica. */
  secret: string | Uint8Array;
  /** How long a nonce is given out, in seconds; it is accepted for twice that. 60 to 3,600, 300 by default. */
  lifetime?: number;
}

/** The options, checked and complete. Times in seconds. */
export interface DpopSettings {
  readonly publicUrls: readonly PublicUrl[];
  readonly required: boolean;
  readonly algorithms: readonly DpopAlgorithm[];
  readonly proofLifetime: number;
  readonly replayStore: ReplayStore | undefined;
  readonly nonce: boolean | DpopNonceOptions;
}

/** @throws {AuthGuardConfigurationError} naming the option that is missing or out of bounds */
export function dpopSettings(options: DpopOptions): DpopSettings {
  const urls = [options.publicUrls].flat();
  const algorithms = options.algorithms ?? DPOP_ALGORITHMS;
  if (urls.length === 0) throw wrong('publicUrls', 'at least one URL of this service');
  if (algorithms.length === 0 || !algorithms.every((name) => DPOP_ALGORITHMS.includes(name))) {
    throw wrong('algorithms', `some of ${DPOP_ALGORITHMS.join(', ')}`);
  }
  const { proofLifetime = 60 } = options;
  if (!(proofLifetime >= 1 && proofLifetime <= 300))
    throw wrong('proofLifetime', '1 to 300 seconds');
  return {
    publicUrls: urls.map((url) => publicUrl(url) ?? fail(url)),
    required: options.required ?? false,
    algorithms,
    proofLifetime,
    replayStore: options.replayStore,
    nonce: options.nonce ?? false,
  };
}

/** @throws {AuthGuardConfigurationError} */
export function checkedNonceOptions({ secret, lifetime = 300 }: DpopNonceOptions) {
  const bytes = Buffer.from(secret as string);
  if (bytes.length < 32) throw wrong('nonce.secret', 'at least 32 bytes');
  if (!(lifetime >= 60 && lifetime <= 3600)) throw wrong('nonce.lifetime', '60 to 3600 seconds');
  return { secret: bytes, lifetime };
}

function fail(url: string): never {
  throw wrong('publicUrls', `an http(s): URL without query or credentials instead of ${url}`);
}

function wrong(option: string, expected: string): AuthGuardConfigurationError {
  return new AuthGuardConfigurationError(`dpop.${option}: expected ${expected}.`);
}
