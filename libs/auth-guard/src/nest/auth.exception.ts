import { HttpException } from '@nestjs/common';
import type { AuthError, AuthErrorCode } from '../errors.js';
import { problemOf } from './challenge.js';
import type { ProblemDetails } from './challenge.js';

/**
 * An error of the guard on its way to an HTTP answer. Its response is the problem document, so Nest's
 * own filter answers with it as it is, and a filter of yours finds it in `problem`. The guard has
 * already set the challenge, `Retry-After` and the content type on the response.
 */
export class AuthException extends HttpException {
  /** Stable: what programs switch on. */
  readonly code: AuthErrorCode;
  /** The body of the answer. */
  readonly problem: ProblemDetails;
  /** Seconds, when trying again later makes sense. */
  readonly retryAfter: number | undefined;
  /** What a GraphQL answer says beside the message. */
  readonly extensions: Omit<ProblemDetails, 'type' | 'title' | 'detail'>;

  constructor(error: AuthError) {
    const problem = problemOf(error);
    super({ ...problem }, problem.status, { cause: error });
    this.message = error.message;
    this.code = error.code;
    this.problem = problem;
    this.retryAfter = error.retryAfter;
    const { status, code, required } = problem;
    this.extensions = { status, code, ...(required ? { required } : {}) };
  }
}
