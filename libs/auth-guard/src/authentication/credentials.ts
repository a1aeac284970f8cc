import { InvalidTokenError } from '../errors.js';

const SCHEME = 'bearer ';

/**
 * Takes the token out of an Authorization header (RFC 6750 section 2.1). No other place is looked
 * into: a token in the query ends up in logs (RFC 9700 section 4.3.2), and one in a cookie comes
 * along by itself (CSRF). Whether it looks like a token is for the verifier to say.
 *
 * @throws {InvalidTokenError} `token_missing` when the header has no bearer token
 */
export function bearerToken(authorization: string | undefined): string {
  if (authorization?.slice(0, SCHEME.length).toLowerCase() === SCHEME) {
    return authorization.slice(SCHEME.length).trimStart();
  }
  if (authorization?.toLowerCase() === SCHEME.trimEnd()) {
    throw new InvalidTokenError('token_malformed', { detail: 'Nothing follows the word Bearer.' });
  }
  throw new InvalidTokenError('token_missing', {
    detail: 'Send the header Authorization: Bearer followed by an access token.',
  });
}
