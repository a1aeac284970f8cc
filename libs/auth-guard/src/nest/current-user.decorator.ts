import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { Principal } from '../token/principal.js';

/**
 * The verified caller, as a handler's parameter: `@CurrentUser() user: Principal`. Undefined on a
 * `@Public()` route, where no token is looked at.
 */
export const CurrentUser = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  findPrincipal(context),
);

/**
 * The verified caller, for guards, interceptors and decorators of your own.
 *
 * @throws {Error} on a `@Public()` route
 */
export function principalOf(context: ExecutionContext): Principal {
  const principal = findPrincipal(context);
  if (!principal) throw new Error('There is no principal: the route is public.');
  return principal;
}

function findPrincipal(context: ExecutionContext): Principal | undefined {
  return context.switchToHttp().getRequest<{ user?: Principal }>().user;
}
