import { HttpStatus } from '@nestjs/common';
import { KeysUnavailableError } from '@signet/auth-guard';
import { Problem } from './problem.js';

/**
 * Of Node's sockets, and of PostgreSQL: classes 08 (connection) and 53 (resources), 57P01 to 57P03
 * (shutting down, crashed, starting up).
 */
const LOST_CONNECTION =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|08...|53...|57P0[123])$/;

/** What the connection pool says without a code: all are taken, or one was lost while it was used. */
const POOL =
  /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error)/;

/** Whether the cause of an error is that something we need, such as the database, does not answer. */
export function isUnavailable(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  if (cause instanceof KeysUnavailableError) return true;
  if ('code' in cause && LOST_CONNECTION.test(String(cause.code))) return true;
  if (cause instanceof AggregateError) return cause.errors.some(isUnavailable);
  return POOL.test(cause.message);
}

/** 503: nobody's fault, and over soon. */
export function temporarilyUnavailable(): Problem {
  return new Problem({
    status: HttpStatus.SERVICE_UNAVAILABLE,
    code: 'temporarily_unavailable',
    detail:
      'The service has more to do than it can, or waits for something that it needs. Try again ' +
      'shortly, with the same Idempotency-Key if there is one.',
    retryAfter: 1,
  });
}
