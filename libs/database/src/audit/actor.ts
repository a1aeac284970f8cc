import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { principalOf } from '@signet/auth-guard';
import { onBehalfOf } from '@signet/http';
import type { RepresentedUser } from '@signet/http';
import type { FastifyRequest } from 'fastify';

/** Who does something, and from where. */
export interface Actor {
  /** Id of a user or of a client; null when the service acts by itself. */
  id: string | null;
  address: string | null;
  /** The user for whom a calling service says that it acts. */
  onBehalfOf?: RepresentedUser | undefined;
}

/** The service acting by itself: a sweeper, a saga, a reconciliation. */
export const THE_SERVICE: Actor = { id: null, address: null };

/**
 * The caller, as the audit log names them: `@ActingUser() actor: Actor`. For routes that demand a
 * token, of a user or of a service.
 */
export const ActingUser = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Actor => {
    const { ip } = context.switchToHttp().getRequest<FastifyRequest>();
    const user = onBehalfOf(context);
    return {
      id: principalOf(context).subject,
      address: ip,
      ...(user === undefined ? {} : { onBehalfOf: user }),
    };
  },
);
