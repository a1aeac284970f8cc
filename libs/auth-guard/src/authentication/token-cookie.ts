import { AuthError, AuthGuardConfigurationError, InvalidTokenError } from '../errors.js';
import type { TokenRequest } from './credentials.js';

/** Takes the token from a cookie where a request has no Authorization header. */
export interface TokenCookieOptions {
  /**
   * The cookie's name. Must begin with `__Host-`, so that no other host, a sibling subdomain least of
   * all, can set it (RFC 6265bis section 4.1.3). Set it with `HttpOnly` and `SameSite`.
   */
  name: string;
  /**
   * Origins other than the service's own whose pages may send requests with an effect, such as
   * `https://app.example.com`. None by default.
   */
  origins?: readonly string[];
}

/** Methods that change nothing: another site may cause them, and cannot read the answer. */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * An upgrade is a GET, but whoever opened the connection reads and writes over it, and no CORS stands
 * in between.
 */
const changesNothing = ({ method, headers }: TokenRequest) =>
  SAFE_METHODS.has(method) && headers.upgrade === undefined;

/** Whether there is such a cookie, whatever is in it. */
export function hasTokenCookie(request: TokenRequest, { name }: TokenCookieOptions): boolean {
  return valuesOf(request, name).length > 0;
}

/** @throws {AuthGuardConfigurationError} */
export function checkCookieOptions({ name }: TokenCookieOptions): void {
  if (/^__Host-[A-Za-z0-9_-]+$/.test(name)) return;
  throw new AuthGuardConfigurationError('cookie.name: expected a name that begins with __Host-.');
}

/**
 * The token in the cookie, if there is one. A browser sends cookies along with whatever a page of
 * another site makes it send, so a request with an effect must come from our own pages: the browser
 * says so in `Sec-Fetch-Site`, or names an origin that is allowed.
 *
 * @throws {AuthError} `request_cross_site`
 * @throws {InvalidTokenError} `token_malformed` when there are two such cookies
 */
export function cookieToken(
  request: TokenRequest,
  { name, origins = [] }: TokenCookieOptions,
): string | undefined {
  const { headers } = request;
  const values = valuesOf(request, name);
  if (values.length > 1) {
    throw new InvalidTokenError('token_malformed', { detail: 'The token came in two cookies.' });
  }
  const [token] = values;
  if (token === undefined || changesNothing(request)) return token;
  const ownPage = headers['sec-fetch-site'] === 'same-origin';
  if (!ownPage && !origins.includes(String(headers.origin))) {
    throw new AuthError('request_cross_site');
  }
  return token;
}

/**
 * Only what RFC 6265 section 4.2.1 puts between cookies is taken off them. A browser lets a sibling
 * subdomain set a cookie whose name begins with some other white space: cut off, `__Host-` would be left.
 */
function valuesOf({ headers }: TokenRequest, name: string): string[] {
  return String(headers.cookie ?? '')
    .split(/;[ \t]*/)
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}
