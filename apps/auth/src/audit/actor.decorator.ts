import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { Principal } from '@signet/auth-guard';
import type { FastifyRequest } from 'fastify';
import type { Actor } from './audit-log.js';

/** The caller, as the audit log names them. */
export const ActingUser = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Actor => {
    const { user, ip } = context.switchToHttp().getRequest<FastifyRequest & { user: Principal }>();
    return { id: user.subject, address: ip };
  },
);
