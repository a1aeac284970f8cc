import { createHash } from 'node:crypto';
import type { TokenRequest } from '../authentication/credentials.js';
import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import { DpopNonceError, InvalidTokenError, ReplayUnknownError } from '../errors.js';
import { DpopNonces } from './nonces.js';
import { checkedNonceOptions, dpopSettings } from './options.js';
import type { DpopOptions, DpopSettings } from './options.js';
import { checkProof } from './proof.js';
import type { CheckedProof } from './proof.js';
import { MemoryReplayStore } from './replay-store.js';
import type { ReplayStore } from './replay-store.js';

/** A bound token and the request that it came with. */
export interface BoundRequest {
  /** Whose method and address the proof names. */
  request: TokenRequest;
  /** The access token, whose hash the proof has. */
  token: string;
  /** `cnf.jkt` of the token. */
  thumbprint: string;
}

/**
 * Proofs of possession for bound tokens (RFC 9449 section 7). The guard checks them by itself; this is for whoever
 * takes tokens without it. An instance remembers what it has seen, so have one.
 *
 * @example
 * const dpop = new Dpop({ publicUrls: 'https://api.example' });
 * await dpop.prove({ request, token, thumbprint: claims.cnf.jkt });
 */
export class Dpop {
  /** @internal */
  readonly settings: DpopSettings;
  private readonly nonces: DpopNonces | undefined;
  private readonly replays: ReplayStore;
  /** Whether the proof of a request is new: GraphQL asks for each operation in it, for several at a time. */
  private readonly asked = new WeakMap<TokenRequest, { dpop: string; isNew: Promise<void> }>();
  /** Requests whose nonce is of the period before. */
  private readonly ageing = new WeakSet<TokenRequest>();

  /** @throws {AuthGuardConfigurationError} */
  constructor(
    options: DpopOptions,
    private readonly clock: Clock = systemClock,
  ) {
    this.settings = dpopSettings(options);
    const { nonce, replayStore } = this.settings;
    if (nonce) this.nonces = new DpopNonces(nonce === true ? {} : checkedNonceOptions(nonce));
    this.replays = replayStore ?? new MemoryReplayStore(() => this.now());
  }

  /**
   * Checks that whoever sent a bound token holds its key: that the header `DPoP` of the request has one proof,
   * for this request, token and key, which is new (RFC 9449 section 4.3). The token itself is not looked at.
   *
   * @throws {InvalidTokenError} `dpop_proof_invalid`, `token_binding_mismatch`
   * @throws {DpopNonceError} with the nonce to use
   * @throws {ReplayUnknownError} when it cannot be told whether the proof is new
   */
  async prove({ request, token, thumbprint }: BoundRequest): Promise<void> {
    const { dpop } = request.headers;
    if (typeof dpop !== 'string') {
      throw new InvalidTokenError('dpop_proof_invalid', {
        detail: 'Send one proof in the header DPoP.',
      });
    }
    const proof = checkProof(dpop, {
      ...this.settings,
      method: request.method,
      target: targetOf(request),
      token,
      thumbprint,
      now: this.now(),
    });
    this.checkNonce(proof, request);
    const asked = this.asked.get(request);
    if (asked?.dpop === dpop) return asked.isNew;
    const isNew = this.checkNew(proof, thumbprint);
    this.asked.set(request, { dpop, isNew });
    return isNew;
  }

  /** The nonce to give along with an answer, when the one that the request used will not do much longer. */
  freshNonceFor(request: TokenRequest): string | undefined {
    return this.ageing.has(request) ? this.nonces?.current(this.now()) : undefined;
  }

  private checkNonce({ nonce }: CheckedProof, request: TokenRequest): void {
    if (!this.nonces) return;
    const judgement = this.nonces.judge(nonce, this.now());
    if (judgement === 'unknown') throw new DpopNonceError(this.nonces.current(this.now()));
    if (judgement === 'ageing') this.ageing.add(request);
  }

  private async checkNew({ jti, issuedAt }: CheckedProof, thumbprint: string): Promise<void> {
    const id = createHash('sha256').update(`${thumbprint}.${jti}`).digest('base64url');
    const isNew = await this.remember(id, Math.ceil(issuedAt + this.settings.proofLifetime));
    if (isNew) return;
    throw new InvalidTokenError('dpop_proof_invalid', {
      detail: 'The DPoP proof was used before. Make one for each request.',
    });
  }

  private async remember(id: string, until: number): Promise<boolean> {
    try {
      return await this.replays.remember(id, until);
    } catch (cause) {
      throw new ReplayUnknownError({ cause });
    }
  }

  private now(): number {
    return this.clock.now() / 1000;
  }
}

/** Express cuts what a router is mounted at off `url`, and keeps all of it here. */
function targetOf(request: TokenRequest & { originalUrl?: string }): string {
  return request.originalUrl ?? request.url;
}
