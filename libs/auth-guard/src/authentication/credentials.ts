import { AmbiguousRequestError, InvalidTokenError } from '../errors.js';

/** What is read of a request, in the form that Fastify, Express and a bare upgrade share. */
export interface TokenRequest {
  /** `GET`, `POST`, … */
  method: string;
  /** The request target, with the query. */
  url: string;
  /** By their names in small letters. */
  headers: Partial<Record<string, string | string[]>> & {
    /** Node hands on the first one only. */
    authorization?: string;
  };
  /** Names and values in turn, as they came: Node tells in no other place that a field came twice. */
  rawHeaders?: readonly string[];
  /** Node's own request, where a framework keeps it (Fastify). */
  raw?: {
    /** Names and values in turn. */
    rawHeaders?: readonly string[];
  };
  /** As the framework parsed it, where it has by now. */
  body?: unknown;
}

/** How a token came: by itself (RFC 6750), or with a proof of its key beside it (RFC 9449). */
export type TokenScheme = 'Bearer' | 'DPoP';

/** A token as it came, not looked at yet. */
export interface Credentials {
  /** How it came; `Bearer` from a cookie. */
  scheme: TokenScheme;
  /** Its text, in whatever form. */
  token: string;
}

const SCHEMES: readonly TokenScheme[] = ['Bearer', 'DPoP'];

const SPACE = 0x20;

/**
 * Takes the token out of an Authorization header (RFC 6750 section 2.1, RFC 9449 section 7.1). No
 * other place is looked into: a token in the query ends up in logs (RFC 9700 section 4.3.2), and one
 * in a cookie comes along by itself (CSRF). Whether it looks like a token is for the verifier to say.
 *
 * @throws {InvalidTokenError} `token_missing` when the header has none
 * @throws {AmbiguousRequestError} when it has several
 */
export function readCredentials(authorization: string | undefined): Credentials {
  const scheme = schemeOf(authorization);
  if (authorization === undefined || !scheme) {
    throw new InvalidTokenError('token_missing', {
      detail: 'Send the header Authorization: Bearer followed by an access token.',
    });
  }
  let start = scheme.length + 1;
  // RFC 9110 section 11.4: spaces, as many as there are, and no other white space.
  while (authorization.charCodeAt(start) === SPACE) start += 1;
  const token = authorization.slice(start);
  if (token.includes(',')) {
    // What a proxy makes of two fields (RFC 9110 section 5.3). No token has a comma.
    throw new AmbiguousRequestError('Send one Authorization header with one access token.');
  }
  if (token !== '') return { scheme, token };
  throw new InvalidTokenError('token_malformed', {
    detail: `Nothing follows the word ${scheme}.`,
  });
}

/** The scheme that an Authorization header names, when it is one of ours. */
export function schemeOf(authorization: string | undefined): TokenScheme | undefined {
  if (authorization?.startsWith('Bearer ')) return 'Bearer';
  const space = authorization?.indexOf(' ') ?? -1;
  const word = (space < 0 ? authorization : authorization?.slice(0, space))?.toLowerCase();
  return SCHEMES.find((scheme) => scheme.toLowerCase() === word);
}
