import type { Principal } from '../token/principal.js';
import type { RevocationCheck } from '../token/verifier.js';
import { RevocationFollower } from './follower.js';
import type { RevocationFollowerContext, RevocationFollowerStatus } from './follower.js';
import type { RevocationFeedOptions } from './options.js';

/** Where it is known from which tokens are void before their time: one, the other or both. */
export interface RevocationOptions {
  /**
   * Knowledge of your own, asked on every use of a token, repeated ones included, so it must answer from
   * memory. What it throws refuses the token.
   */
  isRevoked?: RevocationCheck['isRevoked'];
  /** The issuer's feed, followed in the background. None by default. */
  feed?: RevocationFeedOptions;
  /**
   * How old the knowledge of an `isRevoked` of your own is, in seconds, for `@RequireFresh()`. 0 for one
   * that knows everything at once, and for an issuer of which nothing has to be known: without a feed
   * and without this, its tokens are refused on such routes as soon as another issuer has either.
   */
  age?(): number;
}

/** What is known of the revocations of one issuer. */
export class IssuerRevocations implements RevocationCheck {
  private readonly follower: RevocationFollower | undefined;

  /** @throws {AuthGuardConfigurationError} */
  constructor(
    private readonly options: RevocationOptions,
    context: RevocationFollowerContext,
  ) {
    this.follower = options.feed && new RevocationFollower(options.feed, context);
  }

  /** Whether anything is known, or could be. */
  get isOn(): boolean {
    return this.follower !== undefined || this.options.isRevoked !== undefined;
  }

  /** Whether it can say how old its knowledge is. */
  get knowsAge(): boolean {
    return this.follower !== undefined || this.options.age !== undefined;
  }

  /** How the feed is followed; undefined without one. */
  get status(): RevocationFollowerStatus | undefined {
    return this.follower?.status;
  }

  isRevoked(principal: Principal): boolean {
    return (
      this.follower?.isRevoked(principal) === true || this.options.isRevoked?.(principal) === true
    );
  }

  /** Of the older part of the knowledge, in seconds; 0 when nothing is said about it. */
  age(): number {
    return Math.max(this.follower?.age() ?? 0, this.options.age?.() ?? 0);
  }

  /** Calls `listener` whenever the feed has told of something new. */
  onRevoked(listener: () => void): void {
    this.follower?.onRevoked(listener);
  }

  /** Begins to follow the feed, before the application serves. */
  async start(): Promise<void> {
    await this.follower?.start();
  }

  /** Ends it. */
  async close(): Promise<void> {
    await this.follower?.close();
  }
}
