import type { KeyObject } from 'node:crypto';
import { createVerify } from 'node:crypto';
import { InvalidTokenError } from '../errors.js';
import { decodeBase64url } from './base64url.js';
import { parseJsonObject } from './json.js';
import type { JsonObject } from './json.js';

/**
 * The largest token that is looked at, in characters. A header field of Node's HTTP parser ends at
 * 16 KiB; a token of more than 8 KiB is a mistake or an attack.
 */
export const MAX_TOKEN_LENGTH = 8 * 1024;

/** A JWS in compact serialization (RFC 7515 section 7.1), taken apart and nothing more. */
export interface CompactJws {
  header: string;
  payload: string;
  signature: string;
  /** `header.payload`, the text that was signed. */
  signingInput: string;
}

/**
 * Takes a token apart. Finds the dots one by one: splitting at every dot would let a token made of
 * dots allocate an array of its own length.
 *
 * @throws {InvalidTokenError} `token_too_large`, `token_malformed`
 */
export function splitCompact(token: string): CompactJws {
  if (token.length > MAX_TOKEN_LENGTH) {
    throw new InvalidTokenError('token_too_large', {
      detail: `An access token has at most ${MAX_TOKEN_LENGTH} characters.`,
    });
  }
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first < 1 || second === -1 || token.includes('.', second + 1)) throw malformed();
  return {
    header: token.slice(0, first),
    payload: token.slice(first + 1, second),
    signature: token.slice(second + 1),
    signingInput: token.slice(0, second),
  };
}

/**
 * Decodes one of the two JSON parts.
 *
 * @throws {InvalidTokenError} `token_malformed`
 */
export function decodePart(part: string): JsonObject {
  const bytes = decodeBase64url(part);
  const value = bytes && parseJsonObject(bytes);
  if (!value) throw malformed();
  return value;
}

/**
 * Checks an RS256 signature (RSASSA-PKCS1-v1_5 with SHA-256, RFC 7518 section 3.3).
 *
 * @throws {InvalidTokenError} `token_malformed`, `token_signature_invalid`
 */
export function verifySignature({ signingInput, signature }: CompactJws, key: KeyObject): void {
  const bytes = decodeBase64url(signature);
  if (!bytes) throw malformed();
  // The key decides the algorithm: an RSA key used with SHA-256 and PKCS #1 v1.5, whatever the
  // header may have said. The streaming interface takes the text as it is, a microsecond faster than
  // the one-shot verify() and a copy. OpenSSL refuses a signature that is not exactly as long as the modulus.
  if (!createVerify('sha256').update(signingInput, 'latin1').verify(key, bytes)) {
    throw new InvalidTokenError('token_signature_invalid');
  }
}

function malformed(): InvalidTokenError {
  return new InvalidTokenError('token_malformed', {
    detail: 'Expected a JWS in compact serialization: three parts in base64url.',
  });
}
