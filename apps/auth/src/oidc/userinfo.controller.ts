import { Controller, Get, Header, HttpStatus, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { AmbiguousRequestError, AuthError, Authenticator, Public } from '@signet/auth-guard';
import type { Credentials } from '@signet/auth-guard';
import { Problem, Returns, TakesForm } from '@signet/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AccountsService } from '../accounts/accounts.service.js';
import type { User } from '../accounts/accounts.service.js';
import { AccessTokens } from './access-tokens.js';
import type { AccessTokenClaims } from './access-tokens.js';
import { PLATFORM, USERINFO } from './audiences.js';
import { Proofs } from './proofs.js';

/** OpenID Connect Core section 5.1. */
const userinfo = z.object({ sub: z.string(), email: z.string().optional() });

type Userinfo = z.output<typeof userinfo>;

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
    private readonly proofs: Proofs,
    private readonly authenticator: Authenticator,
  ) {}

  @Get()
  @ApiOperation({
    summary: "What the token's client may know of its user",
    description: 'Takes an access token with the scope `openid`.',
  })
  @Header('cache-control', 'no-store')
  @Returns(200, userinfo)
  read(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Userinfo> {
    return this.answer(request, reply);
  }

  @Post()
  @ApiOperation({ summary: 'The same, as OpenID Connect has it both ways' })
  @TakesForm()
  @Header('cache-control', 'no-store')
  @Returns(200, userinfo)
  readByPost(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Userinfo> {
    return this.answer(request, reply);
  }

  private async answer(request: FastifyRequest, reply: FastifyReply): Promise<Userinfo> {
    const credentials = this.credentialsOf(request, reply);
    const claims = await this.tokens.read(credentials.token);
    const user = claims && (await this.userOf(claims));
    if (!user || !(await this.isProved(request, claims, credentials))) {
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

  /** One token, found as the guard finds it. */
  private credentialsOf(request: FastifyRequest, reply: FastifyReply): Credentials {
    try {
      return this.authenticator.credentialsOf(request);
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      const code = error instanceof AmbiguousRequestError ? 'request_ambiguous' : 'token_missing';
      throw refusal(reply, code, error.message);
    }
  }

  private async userOf(claims: AccessTokenClaims): Promise<User | undefined> {
    const isForHere = claims.aud === PLATFORM || claims.aud === USERINFO;
    if (!isForHere || claims.sid === undefined) return undefined;
    return (await this.tokens.isActive(claims)) ? this.accounts.find(claims.sub) : undefined;
  }

  /** RFC 9449 section 7.2: a token that is bound to a key comes with a proof, and no other does. */
  private isProved(
    request: FastifyRequest,
    claims: AccessTokenClaims,
    { scheme, token }: Credentials,
  ): boolean | Promise<boolean> {
    const withProof = scheme === 'DPoP';
    if (!claims.cnf) return !withProof;
    return withProof && this.proofs.isProved(request, token, claims.cnf.jkt);
  }
}

const REFUSALS = {
  token_missing: { status: HttpStatus.UNAUTHORIZED, challenge: '' },
  request_ambiguous: { status: HttpStatus.BAD_REQUEST, challenge: ', error="invalid_request"' },
  token_invalid: { status: HttpStatus.UNAUTHORIZED, challenge: ', error="invalid_token"' },
  insufficient_scope: {
    status: HttpStatus.FORBIDDEN,
    challenge: ', error="insufficient_scope", scope="openid"',
  },
} as const;

/** RFC 6750 section 3. */
function refusal(reply: FastifyReply, code: keyof typeof REFUSALS, detail: string): Problem {
  const { status, challenge } = REFUSALS[code];
  const challenges = ['Bearer', 'DPoP'].map(
    (scheme) => `${scheme} realm="${USERINFO}"${challenge}`,
  );
  void reply.header('www-authenticate', challenges.join(', '));
  return new Problem({ status, code, detail });
}
