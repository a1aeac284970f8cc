import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { OidcEngine } from './engine.js';
import { ROUTES } from './paths.js';

const PATHS = [
  '/oauth/*',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  ROUTES.jwks,
];

/**
 * Gives the engine its routes. They are Fastify's, not Nest's, so that rate limiting, metrics and logs
 * see them; the request leaves Fastify before its body is read, for the engine reads it itself.
 */
@Injectable()
export class OidcMount {
  private readonly issuer: URL;

  constructor(
    @Inject(AUTH_CONFIG) config: AuthConfig,
    private readonly host: HttpAdapterHost,
    private readonly engine: OidcEngine,
  ) {
    this.issuer = new URL(config.SIGNET_ISSUER);
  }

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    for (const url of PATHS) {
      fastify.route({
        url,
        method: ['GET', 'POST', 'OPTIONS'],
        // After every onRequest hook, the rate limit's among them, and before the body is read.
        preParsing: (request, reply) => this.handOver(request, reply),
        handler: () => undefined,
      });
    }
  }

  private handOver(request: FastifyRequest, reply: FastifyReply): void {
    reply.hijack();
    const written = reply.raw.getHeaders();
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined && value !== written[name]) reply.raw.setHeader(name, value);
    }
    this.addressToIssuer(request);
    this.engine.handle(request.raw, reply.raw);
  }

  /**
   * The engine makes its URLs from the request. What a client put into Host must not end up in the
   * discovery document, nor what it put into the forwarding headers.
   */
  private addressToIssuer(request: FastifyRequest): void {
    const { headers } = request.raw;
    headers.host = this.issuer.host;
    headers['x-forwarded-host'] = this.issuer.host;
    headers['x-forwarded-proto'] = this.issuer.protocol.slice(0, -1);
    headers['x-forwarded-for'] = request.ip;
  }
}
