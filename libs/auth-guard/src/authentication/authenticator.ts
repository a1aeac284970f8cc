import type { Principal } from '../token/principal.js';
import { readCredentials } from './credentials.js';
import type { Credentials, TokenRequest } from './credentials.js';
import { checkCookieOptions, cookieToken } from './token-cookie.js';
import type { TokenCookieOptions } from './token-cookie.js';

/** Whatever tells a good token from a bad one. */
export interface Verifier {
  verify(token: string): Principal | Promise<Principal>;
}

export interface AuthenticatorOptions {
  verifier: Verifier;
  cookie?: TokenCookieOptions | undefined;
}

/** From what a caller sent to who that is. Framework-free, the same for every kind of call. */
export class Authenticator {
  private readonly verifier: Verifier;
  private readonly cookie: TokenCookieOptions | undefined;

  /** @throws {AuthGuardConfigurationError} */
  constructor({ verifier, cookie }: AuthenticatorOptions) {
    this.verifier = verifier;
    this.cookie = cookie;
    if (cookie) checkCookieOptions(cookie);
  }

  /**
   * Authenticates a request. Answers at once unless a key has to be waited for.
   *
   * @throws {AuthError} `token_missing` when there is nothing to authenticate, or why it is not accepted
   */
  authenticate(request: TokenRequest): Principal | Promise<Principal> {
    return this.authenticateToken(this.credentialsOf(request).token);
  }

  /** Authenticates a token that came without a request of HTTP around it. */
  authenticateToken(token: string): Principal | Promise<Principal> {
    return this.verifier.verify(token);
  }

  /**
   * Whether a token that was accepted before still is. Who sends it has shown to be its holder.
   *
   * @throws {AuthError}
   */
  recheck(token: string): Principal | Promise<Principal> {
    return this.verifier.verify(token);
  }

  /** What a request carries, in the place that comes first: the Authorization header. */
  credentialsOf(request: TokenRequest): Credentials {
    const { authorization } = request.headers;
    const token = this.cookie && !authorization ? cookieToken(request, this.cookie) : undefined;
    return token === undefined ? readCredentials(authorization) : { scheme: 'Bearer', token };
  }
}
