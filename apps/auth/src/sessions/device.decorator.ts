import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** Where a login comes from, as its user will see it in the list of sessions. */
export interface Device {
  userAgent: string | undefined;
  address: string;
}

export const MAX_USER_AGENT = 300;

export const FromDevice = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Device => {
    const { headers, ip } = context.switchToHttp().getRequest<FastifyRequest>();
    return { userAgent: headers['user-agent']?.slice(0, MAX_USER_AGENT), address: ip };
  },
);
