import { Injectable } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { AuthError } from '../errors.js';
import { CallCounts } from '../metrics/call-counts.js';
import { AuthException } from './auth.exception.js';
import { CallKinds } from './calls/call-kinds.js';

/**
 * Turns calls away as the guard does: with its challenge, its problem document and its metrics. For a
 * guard of your own that runs after it and asks for more.
 *
 * @example
 * return this.refusals.refuse(context, new InvalidTokenError('token_revoked'));
 */
@Injectable()
export class Refusals {
  constructor(
    private readonly kinds: CallKinds,
    private readonly counts: CallCounts,
  ) {}

  /** @throws {AuthException} or what callers of this kind understand; it never returns normally */
  refuse(context: ExecutionContext, error: AuthError): never | Promise<never> {
    const type = context.getType<string>();
    const kind = this.kinds.get(type);
    if (!kind) throw new AuthException(error);
    this.counts.refused(context.getType(), error.code);
    return kind.refuse(context, error);
  }
}
