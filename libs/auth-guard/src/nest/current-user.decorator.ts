import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { Principal } from '../token/principal.js';
import { callerOf } from './calls/caller.js';

/**
 * The verified caller, as a handler's parameter: `@CurrentUser() user: Principal`. Undefined on a
 * `@Public()` route that looks at no token, or where none came along.
 */
export const CurrentUser = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  callerOf(context),
);

/**
 * The verified caller, for guards, interceptors and decorators of your own.
 *
 * @throws {Error} on a `@Public()` route
 */
export function principalOf(context: ExecutionContext): Principal {
  const principal = callerOf(context);
  if (!principal) throw new Error('There is no principal: the route is public.');
  return principal;
}
