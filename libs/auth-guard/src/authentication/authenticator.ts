import type { Dpop } from '../dpop/dpop.js';
import { InvalidTokenError } from '../errors.js';
import type { Principal } from '../token/principal.js';
import type { TokenVerifier } from '../token/verifier.js';
import { readCredentials } from './credentials.js';
import type { Credentials, TokenRequest } from './credentials.js';
import { assertNoOtherToken, assertOneHeader } from './one-token.js';
import { checkCookieOptions, cookieToken, hasTokenCookie } from './token-cookie.js';
import type { TokenCookieOptions } from './token-cookie.js';

/** Whatever tells a good token from a bad one. */
export interface Verifier {
  /**
   * Who calls, as a token says: at once, or later when a key has to be waited for.
   *
   * @throws {AuthError} why the token is refused
   */
  verify(token: string): Principal | Promise<Principal>;
}

/** What an authenticator works with. */
export interface AuthenticatorOptions {
  /** May accept bound tokens when `dpop` is given. */
  verifier: Verifier;
  /** Without it, cookies are not looked at. */
  cookie?: TokenCookieOptions | undefined;
  /** Without it, tokens that are bound to a key are refused. */
  dpop?: Dpop | undefined;
}

/** From what a caller sent to who that is. Framework-free, the same for every kind of call. */
export class Authenticator {
  private readonly verifier: Verifier;
  private readonly cookie: TokenCookieOptions | undefined;
  private readonly dpop: Dpop | undefined;

  /**
   * For use without Nest.
   *
   * @throws {AuthGuardConfigurationError}
   */
  constructor({ verifier, cookie, dpop }: AuthenticatorOptions) {
    this.verifier = verifier;
    this.cookie = cookie;
    this.dpop = dpop;
    if (cookie) checkCookieOptions(cookie);
  }

  /**
   * Authenticates a request. Answers at once unless a key has to be waited for, or a proof.
   *
   * @throws {AuthError} `token_missing` when there is nothing to authenticate, or why it is not accepted
   */
  authenticate(request: TokenRequest): Principal | Promise<Principal> {
    const credentials = this.credentialsOf(request);
    if (!this.dpop && credentials.scheme === 'DPoP') {
      throw new InvalidTokenError('token_binding_unsupported', {
        detail: 'This service takes bearer tokens.',
      });
    }
    const principal = this.verifier.verify(credentials.token);
    return principal instanceof Promise
      ? principal.then((verified) => this.checkBinding(verified, credentials, request))
      : this.checkBinding(principal, credentials, request);
  }

  /**
   * Authenticates a token that came without a request of HTTP around it, and so without a proof.
   *
   * @throws {AuthError}
   */
  async authenticateToken(token: string): Promise<Principal> {
    return admitBearer(await this.verifier.verify(token), this.dpop);
  }

  /**
   * Whether a token that was accepted before still is. Who sends it has shown to be its holder.
   *
   * @throws {AuthError}
   */
  recheck(token: string): Principal | Promise<Principal> {
    return this.verifier.verify(token);
  }

  /**
   * The one token that a request carries: in the Authorization header, or in the cookie.
   *
   * @throws {AuthError} `token_missing`; `request_ambiguous` when there is more than one
   */
  credentialsOf(request: TokenRequest): Credentials {
    const { authorization } = request.headers;
    assertOneHeader(request);
    const token = this.cookie && !authorization ? cookieToken(request, this.cookie) : undefined;
    const credentials: Credentials =
      token === undefined ? readCredentials(authorization) : { scheme: 'Bearer', token };
    const inCookie = token === undefined && this.cookie && hasTokenCookie(request, this.cookie);
    assertNoOtherToken(request, inCookie ?? false);
    return credentials;
  }

  /** A nonce to give along with the answer to a request that was let in. */
  freshNonceFor(request: TokenRequest): string | undefined {
    return this.dpop?.freshNonceFor(request);
  }

  private checkBinding(
    principal: Principal,
    { scheme, token }: Credentials,
    request: TokenRequest,
  ): Principal | Promise<Principal> {
    if (scheme === 'Bearer' || !this.dpop) return admitBearer(principal, this.dpop);
    const { boundTo: thumbprint } = principal;
    if (thumbprint === undefined) throw new InvalidTokenError('token_not_bound');
    return this.dpop.prove({ request, token, thumbprint }).then(() => principal);
  }
}

/** A verifier for tokens that come without a request: bound ones are refused, since nothing proves them. */
export function bearerOnly(
  verifier: Pick<TokenVerifier, keyof TokenVerifier>,
): Pick<TokenVerifier, keyof TokenVerifier> {
  return {
    get counts() {
      return verifier.counts;
    },
    verify(token) {
      const principal = verifier.verify(token);
      return principal instanceof Promise
        ? principal.then((verified) => admitBearer(verified))
        : admitBearer(principal);
    },
  };
}

/** RFC 9449 section 7.2: a bound token must not be accepted as a bearer token. */
function admitBearer(principal: Principal, dpop?: Dpop): Principal {
  if (principal.boundTo !== undefined) throw new InvalidTokenError('token_binding_unproved');
  if (dpop?.settings.required) throw new InvalidTokenError('token_not_bound');
  return principal;
}
