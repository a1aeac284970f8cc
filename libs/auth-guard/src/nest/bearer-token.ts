import { InvalidTokenError } from '../errors.js';

/** RFC 6750 section 2.1: one token, of these characters. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * Takes the token out of an Authorization header. No other place is looked into: a token in the query
 * ends up in logs (RFC 9700 section 4.3.2), and one in a cookie comes along by itself (CSRF).
 *
 * @throws {InvalidTokenError} `token_missing` without a bearer token, `token_malformed`
 */
export function bearerToken(authorization: string | undefined): string {
  const token = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
  if (token !== undefined) return token;
  if (authorization !== undefined && /^bearer\b/i.test(authorization)) {
    throw new InvalidTokenError('token_malformed', {
      detail: 'Expected the header Authorization: Bearer followed by one token.',
    });
  }
  throw new InvalidTokenError('token_missing', {
    detail: 'Send the header Authorization: Bearer followed by an access token.',
  });
}
