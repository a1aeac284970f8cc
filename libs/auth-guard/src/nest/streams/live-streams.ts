import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { systemClock } from '../../clock.js';
import type { Clock } from '../../clock.js';
import { InvalidTokenError } from '../../errors.js';
import type { AuthErrorCode } from '../../errors.js';
import { TrustedIssuers } from '../../issuers/trusted-issuers.js';
import { Revocations } from '../../revocation/revocations.js';
import type { Principal } from '../../token/principal.js';
import { MODULE_OPTIONS_TOKEN } from '../module-definition.js';
import type { AuthGuardOptions } from '../options.js';

/** What tells when a response is at its end: Node's `ServerResponse`, or what wraps one as Fastify does. */
export type OpenResponse =
  | RawResponse
  | {
      /** Node's own. */
      raw: RawResponse;
    };

/** What is needed of Node's `ServerResponse`. */
export interface RawResponse {
  /** Whether its connection is gone. */
  readonly destroyed: boolean;
  /** Calls when it is closed. */
  once(event: 'close', listener: () => void): unknown;
  /** Breaks it off. */
  destroy(error?: Error): unknown;
}

interface Stream {
  readonly principal: Principal;
  readonly over: AbortController;
  cancelTimer: () => void;
}

/** Of a verifier that was told none, in seconds. */
const CLOCK_TOLERANCE = 5;

/**
 * The responses that go on for as long as their client listens. A guard is asked once, when they begin;
 * each is told here when its token is over: by the clock, because it was revoked, because the key that signed
 * it was withdrawn, or because somebody says so. What `@Sse()` answers is watched and cut off without being asked for.
 *
 * @example
 * const over = streams.untilOver(user, response);
 * for await (const line of follow(order, { signal: over })) response.raw.write(line);
 */
@Injectable()
export class LiveStreams implements OnApplicationShutdown {
  private readonly streams = new Set<Stream>();
  private readonly clock: Clock;

  constructor(
    private readonly revocations: Revocations,
    private readonly issuers: TrustedIssuers,
    @Inject(MODULE_OPTIONS_TOKEN) private readonly options: AuthGuardOptions,
  ) {
    this.clock = options.clock ?? systemClock;
  }

  /** How many responses are open whose token is watched. */
  get size(): number {
    return this.streams.size;
  }

  /**
   * A signal that is aborted when the token of `principal` is over, and at once when it is already. Its
   * `reason` is the `InvalidTokenError` that a new request would be refused with. Nothing is watched any
   * more when the response has closed; the signal is not aborted then.
   */
  untilOver(principal: Principal, response: OpenResponse): AbortSignal {
    const raw = 'raw' in response ? response.raw : response;
    const stream = { principal, over: new AbortController(), cancelTimer: () => undefined };
    if (this.revocations.isRevoked(principal)) this.end(stream, 'token_revoked');
    else if (!raw.destroyed) {
      this.watch(stream);
      raw.once('close', () => this.forget(stream));
      void this.endWithoutKey(stream);
    }
    return stream.over.signal;
  }

  /** Breaks the response off when the token of `principal` is over: its client sees that it is not whole. */
  cutOffWhenOver(principal: Principal, response: OpenResponse): void {
    const raw = 'raw' in response ? response.raw : response;
    const over = this.untilOver(principal, response);
    const cutOff = () => void raw.destroy();
    if (over.aborted) cutOff();
    else over.addEventListener('abort', cutOff, { once: true });
  }

  /**
   * Ends the streams of such tokens before their time, for the reason `code`.
   *
   * @returns how many
   */
  endWhere(
    concerns: (principal: Principal) => boolean,
    code: AuthErrorCode = 'token_revoked',
  ): number {
    const concerned = [...this.streams].filter(({ principal }) => concerns(principal));
    for (const stream of concerned) this.end(stream, code);
    return concerned.length;
  }

  /** @internal */
  onApplicationShutdown(): void {
    for (const stream of [...this.streams]) this.forget(stream);
  }

  private watch(stream: Stream): void {
    this.streams.add(stream);
    const { expiresAt } = stream.principal;
    // As long as a new request with this token would be let in: a client that comes again stays.
    const end = (expiresAt + this.toleranceFor(stream.principal)) * 1000;
    const cancel = this.clock.after(Math.max(0, end - this.clock.now()), () =>
      this.end(stream, 'token_expired'),
    );
    stream.cancelTimer = cancel;
  }

  /** The key may have been withdrawn between the guard and what begins the stream. */
  private async endWithoutKey(stream: Stream): Promise<void> {
    const hasKey = await this.issuers.hasKeyOf(stream.principal).catch(() => false);
    if (!hasKey && this.streams.has(stream)) this.end(stream, 'token_key_unknown');
  }

  private toleranceFor({ issuer }: Principal): number {
    const { otherIssuers = [] } = this.options;
    const trusted = [this.options, ...otherIssuers].find((other) => other.issuer === issuer);
    return trusted?.clockTolerance ?? CLOCK_TOLERANCE;
  }

  private end(stream: Stream, code: AuthErrorCode): void {
    this.forget(stream);
    stream.over.abort(new InvalidTokenError(code));
  }

  private forget(stream: Stream): void {
    stream.cancelTimer();
    this.streams.delete(stream);
  }
}
