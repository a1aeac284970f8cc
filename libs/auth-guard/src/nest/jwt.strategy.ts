import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { AuthError, InvalidTokenError } from '../errors.js';
import type { Principal } from '../token/principal.js';
import { TokenVerifier } from '../token/verifier.js';
import { AuthException } from './auth.exception.js';

const extractToken = ExtractJwt.fromAuthHeaderAsBearerToken();

type PassportRequest = Parameters<Strategy['authenticate']>[0];

/**
 * The Passport strategy `jwt`: passport-jwt's, with its extractor, whose verifying is done by the
 * same verifier as the guard's. So `AuthGuard('jwt')` and `request.user` work as they always did.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(private readonly verifier: TokenVerifier) {
    super({
      jwtFromRequest: extractToken,
      secretOrKeyProvider: (_request, _token, done) => done(new Error('jsonwebtoken is not used')),
    });
  }

  override authenticate(request: PassportRequest): void {
    void this.verify(extractToken(request)).then(
      (principal) => this.success(principal),
      (error: unknown) => this.reject(error),
    );
  }

  /** Passport's hook for turning a payload into a user. The principal is the user already. */
  validate(principal: Principal): Principal {
    return principal;
  }

  private async verify(token: string | null): Promise<Principal> {
    if (!token) throw new InvalidTokenError('token_missing');
    return await this.verifier.verify(token);
  }

  /** A refused token lets Passport try the next strategy; anything else is an error. */
  private reject(error: unknown): void {
    if (error instanceof InvalidTokenError) this.fail(new AuthException(error), error.status);
    else this.error(error instanceof AuthError ? new AuthException(error) : (error as Error));
  }
}
