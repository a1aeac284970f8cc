import { InvalidTokenError } from '../errors.js';

/** What is read of a request, in the form that Fastify, Express and a bare upgrade share. */
export interface TokenRequest {
  method: string;
  /** The request target, with the query. */
  url: string;
  headers: Partial<Record<string, string | string[]>> & { authorization?: string };
}

/** How a token came: by itself (RFC 6750), or with a proof of its key beside it (RFC 9449). */
export type TokenScheme = 'Bearer' | 'DPoP';

export interface Credentials {
  scheme: TokenScheme;
  token: string;
}

const SCHEMES: readonly TokenScheme[] = ['Bearer', 'DPoP'];

/**
 * Takes the token out of an Authorization header (RFC 6750 section 2.1, RFC 9449 section 7.1). No
 * other place is looked into: a token in the query ends up in logs (RFC 9700 section 4.3.2), and one
 * in a cookie comes along by itself (CSRF). Whether it looks like a token is for the verifier to say.
 *
 * @throws {InvalidTokenError} `token_missing` when the header has none
 */
export function readCredentials(authorization: string | undefined): Credentials {
  const scheme = schemeOf(authorization);
  if (authorization === undefined || !scheme) {
    throw new InvalidTokenError('token_missing', {
      detail: 'Send the header Authorization: Bearer followed by an access token.',
    });
  }
  const token = authorization.slice(scheme.length + 1).trimStart();
  if (token !== '') return { scheme, token };
  throw new InvalidTokenError('token_malformed', {
    detail: `Nothing follows the word ${scheme}.`,
  });
}

/** The scheme that an Authorization header names, when it is one of ours. */
export function schemeOf(authorization: string | undefined): TokenScheme | undefined {
  const space = authorization?.indexOf(' ') ?? -1;
  const word = (space < 0 ? authorization : authorization?.slice(0, space))?.toLowerCase();
  return SCHEMES.find((scheme) => scheme.toLowerCase() === word);
}
