import { ForbiddenException, Inject, Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';

/**
 * Takes forms from our own pages only. Browsers say where a form comes from; what is no browser has no
 * cookie of a user to misuse.
 */
@Injectable()
export class SameOriginGuard implements CanActivate {
  constructor(@Inject(AUTH_CONFIG) private readonly config: AuthConfig) {}

  canActivate(context: ExecutionContext): boolean {
    const { method, headers } = context.switchToHttp().getRequest<FastifyRequest>();
    if (method === 'GET' || method === 'HEAD') return true;
    const { origin } = headers;
    const site = headers['sec-fetch-site'];
    const isOurs =
      (origin === undefined || origin === this.config.SIGNET_ISSUER) &&
      (site === undefined || site === 'same-origin');
    if (isOurs) return true;
    throw new ForbiddenException('This form comes from another site.');
  }
}
