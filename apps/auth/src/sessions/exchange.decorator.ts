import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Exchange } from './refresh-cookie.js';

/** The request and its answer, for cookies. The handler's result is still what is answered. */
export const HttpExchange = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Exchange => {
    const http = context.switchToHttp();
    return { request: http.getRequest<FastifyRequest>(), reply: http.getResponse<FastifyReply>() };
  },
);
