import { HttpStatus, Inject, Injectable } from '@nestjs/common';
import { Problem } from '@signet/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import type { IssuedTokens, Tokens, Transport } from './session.schema.js';

/**
 * The prefix keeps other hosts, a sibling subdomain least of all, from setting it
 * (draft-ietf-httpbis-rfc6265bis section 4.1.3.2).
 */
const NAME = '__Host-signet-refresh';

const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Strict';

/**
 * The refresh token of a browser, in a cookie that no script can read. A browser sends it along with
 * whatever a page makes it send, so each request that uses it must come from a page of ours: the
 * browser says so in `Origin`, or in `Sec-Fetch-Site`.
 */
@Injectable()
export class RefreshCookie {
  private readonly maxAge: number;
  private readonly origins: readonly string[];

  constructor(@Inject(AUTH_CONFIG) config: AuthConfig) {
    this.maxAge = config.SIGNET_SESSION_IDLE_SECONDS;
    this.origins = [config.SIGNET_ISSUER, ...config.CORS_ORIGINS];
  }

  /**
   * Hands the tokens out as the client wants them.
   *
   * @throws {Problem} 403 `request_cross_site` when a cookie is wanted by another site's page
   */
  deliver(
    tokens: IssuedTokens,
    { transport, request, reply }: { transport: Transport } & Exchange,
  ): Tokens {
    if (transport === 'body') return tokens;
    this.assertOwnPage(request);
    const { refresh_token, ...rest } = tokens;
    this.set(reply, `${NAME}=${refresh_token}; ${ATTRIBUTES}; Max-Age=${this.maxAge}`);
    return rest;
  }

  /**
   * The refresh token in the cookie, if there is one.
   *
   * @throws {Problem} 403 `request_cross_site`
   */
  read(request: FastifyRequest): string | undefined {
    const [value, another] = valuesOf(request);
    if (value === undefined) return undefined;
    this.assertOwnPage(request);
    // No browser sends two with this prefix.
    return another === undefined ? value : undefined;
  }

  /** Takes the cookie away from who has one. */
  clear({ request, reply }: Exchange): void {
    if (valuesOf(request).length > 0) this.set(reply, `${NAME}=; ${ATTRIBUTES}; Max-Age=0`);
  }

  /** @throws {Problem} 403 `request_cross_site` */
  assertOwnPage({ headers }: FastifyRequest): void {
    const { origin } = headers;
    const isOwn =
      origin === undefined
        ? headers['sec-fetch-site'] === 'same-origin'
        : this.origins.includes(origin);
    if (isOwn) return;
    throw new Problem({
      status: HttpStatus.FORBIDDEN,
      code: 'request_cross_site',
      detail: 'The cookie is for pages of this origin, and of those that CORS_ORIGINS names.',
    });
  }

  private set(reply: FastifyReply, cookie: string): void {
    void reply.header('set-cookie', cookie);
  }
}

export interface Exchange {
  request: FastifyRequest;
  reply: FastifyReply;
}

/**
 * Only what RFC 6265 section 4.2.1 puts between cookies is taken off them. A browser lets a sibling
 * subdomain set a cookie whose name begins with some other white space: cut off, `__Host-` would be left.
 */
function valuesOf({ headers }: FastifyRequest): string[] {
  return (headers.cookie ?? '')
    .split(/;[ \t]*/)
    .filter((pair) => pair.startsWith(`${NAME}=`))
    .map((pair) => pair.slice(NAME.length + 1));
}
