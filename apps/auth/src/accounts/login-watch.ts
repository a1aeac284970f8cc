import { Inject, Injectable, Logger } from '@nestjs/common';
import { Metrics } from '@signet/http';
import { Counter } from 'prom-client';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { hmac, keyFor } from '../oidc/secret-box.js';

/** What became of a password that somebody sent. */
export type LoginOutcome = 'right' | 'wrong' | 'throttled';

/**
 * Counts passwords that were tried, and writes a line for each that was not let in. Not a row: whoever
 * guesses would fill the database.
 */
@Injectable()
export class LoginWatch {
  private readonly logger = new Logger('Logins');
  private readonly attempts: Counter<'outcome'>;

  private readonly key: Buffer;

  constructor(@Inject(AUTH_CONFIG) config: AuthConfig, { registry }: Metrics) {
    this.key = keyFor('accounts in logs', config.SIGNET_COOKIE_SECRET);
    this.attempts = new Counter({
      name: 'signet_auth_logins_total',
      help: 'Passwords that were tried, by outcome: right, wrong, throttled.',
      labelNames: ['outcome'],
      registers: [registry],
    });
    for (const outcome of ['right', 'wrong', 'throttled']) this.attempts.inc({ outcome }, 0);
  }

  /**
   * @param email the account that was claimed, whether there is one or not
   * @param address where the attempt came from
   */
  note(outcome: LoginOutcome, email: string, address: string): void {
    this.attempts.inc({ outcome });
    if (outcome === 'right') return;
    this.logger.warn({ event: `login.${outcome}`, account: this.pseudonym(email), address });
  }

  /**
   * The same for the same address on every replica, so that lines can be told apart and put together. Who has
   * the lines alone cannot try addresses on it, as on a bare hash.
   */
  private pseudonym(email: string): string {
    return hmac(this.key, email).slice(0, 16);
  }
}
