import { HttpStatus, Inject, Injectable } from '@nestjs/common';
import { InjectPool } from '@signet/database';
import { Problem } from '@signet/http';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import type { Pool } from 'pg';
import { createHash } from 'node:crypto';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { LoginWatch } from './login-watch.js';
import { networkOf } from './network.js';

const QUARTER_HOUR = 15 * 60;
const HOUR = 60 * 60;

type Limit = [limiter: RateLimiterPostgres, key: string];

/**
 * Slows down guessing. Counts in PostgreSQL, so that every replica sees every attempt, and counts an
 * email address that has no account just the same.
 */
@Injectable()
export class Throttle {
  private readonly pair: RateLimiterPostgres;
  private readonly total: RateLimiterPostgres;
  private readonly source: RateLimiterPostgres;
  private readonly registrations: RateLimiterPostgres;
  private readonly userCodes: RateLimiterPostgres;

  constructor(
    @InjectPool() pool: Pool,
    @Inject(AUTH_CONFIG) config: AuthConfig,
    private readonly watch: LoginWatch,
  ) {
    const limiter = (keyPrefix: string, points: number, duration: number) =>
      new RateLimiterPostgres({
        storeClient: pool,
        storeType: 'pool',
        tableName: 'throttles',
        tableCreated: true,
        keyPrefix,
        points,
        duration,
      });
    this.pair = limiter('login', config.SIGNET_LOGIN_ATTEMPTS, QUARTER_HOUR);
    this.total = limiter('login-total', config.SIGNET_LOGIN_ATTEMPTS_TOTAL, QUARTER_HOUR);
    this.source = limiter('login-source', config.SIGNET_LOGIN_ATTEMPTS_SOURCE, QUARTER_HOUR);
    this.registrations = limiter('register', config.SIGNET_REGISTRATIONS_PER_HOUR, HOUR);
    this.userCodes = limiter('user-code', config.SIGNET_DEVICE_CODE_ATTEMPTS, QUARTER_HOUR);
  }

  /**
   * Checks a password under the limits: `check` runs when there are attempts left, and does not count
   * when it finds the password right or cannot tell.
   *
   * @param email the account that is claimed
   * @param address where the attempt comes from
   * @throws {Problem} 429 `too_many_attempts`
   */
  async guard<Found>(
    email: string,
    address: string,
    check: () => Promise<Found | undefined>,
  ): Promise<Found | undefined> {
    const network = networkOf(address);
    const pair = digest(`${email} ${network}`);
    const others: Limit[] = [
      [this.total, digest(email)],
      [this.source, digest(network)],
    ];
    const counted: Limit[] = [];
    // Counted before the check, so that attempts at the same time cannot slip through together.
    try {
      for (const limit of [[this.pair, pair] satisfies Limit, ...others]) {
        await consume(...limit);
        counted.push(limit);
      }
    } catch (error) {
      if (error instanceof Problem) this.watch.note('throttled', email, address);
      await giveBack(counted);
      throw error;
    }
    try {
      const found = await check();
      this.watch.note(found === undefined ? 'wrong' : 'right', email, address);
      if (found !== undefined) await Promise.all([this.pair.delete(pair), giveBack(others)]);
      return found;
    } catch (error) {
      await giveBack(counted);
      throw error;
    }
  }

  /** @throws {Problem} 429 `too_many_attempts` */
  async admitRegistration(address: string): Promise<void> {
    await consume(this.registrations, digest(networkOf(address)));
  }

  /**
   * Codes of devices are short, so that people can type them (RFC 8628 section 5.1).
   *
   * @throws {Problem} 429 `too_many_attempts`
   */
  async admitUserCode(address: string): Promise<void> {
    await consume(this.userCodes, digest(networkOf(address)));
  }
}

async function consume(...[limiter, key]: Limit): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    throw new Problem({
      status: HttpStatus.TOO_MANY_REQUESTS,
      code: 'too_many_attempts',
      detail: 'Too many attempts. Wait before you try again.',
      retryAfter: Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)),
    });
  }
}

async function giveBack(limits: Limit[]): Promise<void> {
  await Promise.all(limits.map(([limiter, key]) => limiter.reward(key)));
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}
