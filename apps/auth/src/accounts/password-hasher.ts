import { HttpStatus, Inject, Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import type { Options } from '@node-rs/argon2';
import { Problem } from '@signet/http';
import pLimit from 'p-limit';
import { randomBytes } from 'node:crypto';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';

/** OWASP's Password Storage Cheat Sheet for argon2id, the library's default kind; memory in KiB. */
const PARAMETERS: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Whoever would wait behind more than these would wait for longer than anyone does. */
const MAX_WAITING = 100;

/**
 * Hashes passwords with argon2id, a few at a time: each takes 19 MiB, and threads of the pool that
 * also signs tokens.
 */
@Injectable()
export class PasswordHasher {
  private readonly limit: ReturnType<typeof pLimit>;
  private readonly nobodysHash: Promise<string>;

  constructor(@Inject(AUTH_CONFIG) config: AuthConfig) {
    this.limit = pLimit(config.SIGNET_PASSWORD_CONCURRENCY);
    this.nobodysHash = hash(randomBytes(32), PARAMETERS);
  }

  /** @throws {Problem} 503 `busy` when too many are waiting */
  hash(password: string): Promise<string> {
    return this.inTurn(() => hash(password, PARAMETERS));
  }

  /**
   * Whether `password` is the one behind `stored`. Without `stored` it does the same work and says no,
   * so that the time does not tell whether there is an account.
   *
   * @throws {Problem} 503 `busy` when too many are waiting
   */
  verify(stored: string | undefined, password: string): Promise<boolean> {
    return this.inTurn(async () => {
      const matches = await verify(stored ?? (await this.nobodysHash), password);
      return matches && stored !== undefined;
    });
  }

  private inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.limit.pendingCount < MAX_WAITING) return this.limit(work);
    throw new Problem({
      status: HttpStatus.SERVICE_UNAVAILABLE,
      code: 'busy',
      detail: 'Too many people are logging in right now. Try again shortly.',
      retryAfter: 2,
    });
  }
}
