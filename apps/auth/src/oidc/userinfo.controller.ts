import { Controller, Get, Header, Headers, HttpStatus, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Public } from '@signet/auth-guard';
import { Problem, Returns } from '@signet/http';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { AccountsService } from '../accounts/accounts.service.js';
import { AccessTokens } from './access-tokens.js';
import { PLATFORM, USERINFO } from './audiences.js';

/** OpenID Connect Core section 5.1. */
const userinfo = z.object({ sub: z.string(), email: z.string().optional() });

type Userinfo = z.output<typeof userinfo>;

const BEARER = /^bearer +([\w.-]+)$/i;

/**
 * Who the user is, for clients that may know (OpenID Connect Core section 5.3). Takes users' access
 * tokens of two audiences, which no guard of a route of ours does, and so looks at them itself.
 */
@ApiTags('openid connect')
@Controller('oauth/userinfo')
@Public()
export class UserinfoController {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly accounts: AccountsService,
  ) {}

  /** What the token's client may know of its user. Takes an access token with the scope `openid`. */
  @Get()
  @Header('cache-control', 'no-store')
  @Returns(200, userinfo)
  read(
    @Headers('authorization') authorization: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Userinfo> {
    return this.answer(authorization, reply);
  }

  /** The same, as OpenID Connect has it both ways. */
  @Post()
  @Header('cache-control', 'no-store')
  @Returns(200, userinfo)
  readByPost(
    @Headers('authorization') authorization: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Userinfo> {
    return this.answer(authorization, reply);
  }

  private async answer(authorization: string | undefined, reply: FastifyReply): Promise<Userinfo> {
    const token = BEARER.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      throw refusal(reply, 'token_missing', 'Send an access token in the header Authorization.');
    }
    const claims = await this.tokens.read(token);
    // A token that is bound to a key would have to come with a proof (RFC 9449 section 7.2).
    const isForHere = (claims?.aud === PLATFORM || claims?.aud === USERINFO) && !claims.cnf;
    const user =
      isForHere && claims.sid !== undefined && (await this.tokens.isActive(claims))
        ? await this.accounts.find(claims.sub)
        : undefined;
    if (!claims || !user) {
      throw refusal(reply, 'token_invalid', 'The access token is not good here, or not any more.');
    }
    const scopes = (claims.scope ?? '').split(' ');
    if (!scopes.includes('openid')) {
      throw refusal(
        reply,
        'insufficient_scope',
        'The access token does not have the scope openid.',
      );
    }
    return { sub: user.id, ...(scopes.includes('email') && { email: user.email }) };
  }
}

const REFUSALS = {
  token_missing: { status: HttpStatus.UNAUTHORIZED, challenge: '' },
  token_invalid: { status: HttpStatus.UNAUTHORIZED, challenge: ', error="invalid_token"' },
  insufficient_scope: {
    status: HttpStatus.FORBIDDEN,
    challenge: ', error="insufficient_scope", scope="openid"',
  },
} as const;

/** RFC 6750 section 3. */
function refusal(reply: FastifyReply, code: keyof typeof REFUSALS, detail: string): Problem {
  const { status, challenge } = REFUSALS[code];
  void reply.header('www-authenticate', `Bearer realm="${USERINFO}"${challenge}`);
  return new Problem({ status, code, detail });
}
