import { InvalidTokenError } from '../errors.js';
import type { JsonObject } from './json.js';

/** What the verifier needs to know of a header that it has accepted. */
export interface AccessTokenHeader {
  kid: string;
}

/**
 * Parameters that a token must not carry, each for its own reason: `crit` and `b64` change how the
 * token is to be read (RFC 7515 section 4.1.11, RFC 7797), `zip` and `enc` belong to encryption, and
 * the others offer a key or a place to fetch one. None of them is ever followed; an issuer that
 * keeps to RFC 9068 sends none.
 */
const REFUSED = ['crit', 'b64', 'zip', 'enc', 'jwk', 'jku', 'x5u', 'x5c'] as const;

/** Values of `typ`; undefined for a header without one. */
export type TokenTypes = ReadonlySet<string | undefined>;

/** RFC 9068 section 4: these two spellings and no other. */
export const ACCESS_TOKEN_TYPES: TokenTypes = new Set(['at+jwt', 'application/at+jwt']);

const MAX_KID_LENGTH = 256;

/**
 * Checks the header of an access token.
 *
 * @param types the values of `typ` that an issuer's access tokens have; undefined for none
 * @throws {InvalidTokenError} `token_algorithm_invalid`, `token_header_invalid`, `token_type_invalid`
 */
export function checkHeader(
  header: JsonObject,
  types: TokenTypes = ACCESS_TOKEN_TYPES,
): AccessTokenHeader {
  checkProtection(header);
  if (!types.has(header.typ as string | undefined)) {
    const expected = [...types].map((type) => type ?? 'none').join(' or ');
    throw new InvalidTokenError('token_type_invalid', { detail: `Expected typ ${expected}.` });
  }
  const { kid } = header;
  if (typeof kid !== 'string' || kid === '' || kid.length > MAX_KID_LENGTH) {
    throw new InvalidTokenError('token_header_invalid', { detail: 'Expected a kid.' });
  }
  return { kid };
}

/**
 * Checks what the header says about the signature.
 *
 * @throws {InvalidTokenError} `token_algorithm_invalid`, `token_header_invalid`
 */
export function checkProtection(header: JsonObject): void {
  if (header.alg !== 'RS256') throw new InvalidTokenError('token_algorithm_invalid');
  for (const parameter of REFUSED) {
    if (Object.hasOwn(header, parameter)) {
      throw new InvalidTokenError('token_header_invalid', {
        detail: `The header parameter ${parameter} is not accepted.`,
      });
    }
  }
}

/**
 * The headers of tokens whose signature was right. An issuer writes the same few over and over, so
 * their text need not be decoded and checked again. Only what a good key signed is remembered.
 */
export class KnownHeaders {
  private static readonly MAX_ENTRIES = 64;
  private readonly kids = new Map<string, string>();
  /** The header before, which is mostly the next one too: comparing costs less than hashing. */
  private last = { encoded: '', kid: '' };

  /** The `kid` of an encoded header that was accepted before. */
  get(encoded: string): string | undefined {
    return encoded === this.last.encoded ? this.last.kid : this.kids.get(encoded);
  }

  remember(encoded: string, kid: string): void {
    if (encoded === this.last.encoded) return;
    this.last = { encoded, kid };
    if (this.kids.has(encoded)) return;
    if (this.kids.size >= KnownHeaders.MAX_ENTRIES) this.kids.clear();
    this.kids.set(encoded, kid);
  }
}
