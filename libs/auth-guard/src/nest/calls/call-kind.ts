import type { ExecutionContext } from '@nestjs/common';
import type { AuthError } from '../../errors.js';
import type { Principal } from '../../token/principal.js';

/** What the guard has to know of one kind of call: HTTP, GraphQL, a socket's message, a microservice's. */
export interface CallKind {
  /**
   * Says who calls.
   *
   * @throws {AuthError} `token_missing` when the caller says nothing, or why what it says is refused
   */
  authenticate(context: ExecutionContext): Principal | Promise<Principal>;
  /** Answers a call that is turned away, in the way that its callers understand. */
  refuse(context: ExecutionContext, error: AuthError): never | Promise<never>;
}
