import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { Authenticator } from '../authentication/authenticator.js';
import type { TokenRequest } from '../authentication/credentials.js';
import { AuthError, InvalidTokenError } from '../errors.js';
import type { Principal } from '../token/principal.js';
import { AuthException } from './auth.exception.js';

type PassportRequest = Parameters<Strategy['authenticate']>[0];

/**
 * The Passport strategy `jwt`: passport-jwt's, whose token is found and verified as the guard does it. So
 * `AuthGuard('jwt')` and `request.user` work as they always did.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(private readonly authenticator: Authenticator) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: (_request, _token, done) => done(new Error('jsonwebtoken is not used')),
    });
  }

  override authenticate(request: PassportRequest): void {
    void this.verify(request as unknown as TokenRequest).then(
      (principal) => this.success(principal),
      (error: unknown) => this.reject(error),
    );
  }

  /** Passport's hook for turning a payload into a user. The principal is the user already. */
  validate(principal: Principal): Principal {
    return principal;
  }

  private async verify(request: TokenRequest): Promise<Principal> {
    return await this.authenticator.authenticate(request);
  }

  /** A refused token lets Passport try the next strategy; anything else is an error. */
  private reject(error: unknown): void {
    if (error instanceof InvalidTokenError) this.fail(new AuthException(error), error.status);
    else this.error(error instanceof AuthError ? new AuthException(error) : (error as Error));
  }
}
