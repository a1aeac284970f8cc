import { Injectable, Logger } from '@nestjs/common';
import { Metrics } from '@signet/http';
import { Counter } from 'prom-client';
import { createHash } from 'node:crypto';

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

  constructor({ registry }: Metrics) {
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
    this.logger.warn({ event: `login.${outcome}`, account: pseudonym(email), address });
  }
}

/** The same for the same address, so that lines can be told apart and put together; not the address. */
function pseudonym(email: string): string {
  return createHash('sha256').update(email).digest('base64url').slice(0, 16);
}
