import { createHmac, createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { encodePart } from './jws.js';

/*
 * Forgeries that need no private key: what an attacker can make of a token that was seen and a key
 * set that is public. They work on any token, so end-to-end tests can try them on real ones.
 */

/** The token with another subject, under the signature of the original. */
export function tamper(token: string): string {
  const [header, payload, signature] = partsOf(token);
  const claims = decode(payload);
  return [header, encodePart({ ...claims, sub: 'somebody-else' }), signature].join('.');
}

/** The token as `alg: none` without a signature (CVE-2015-2951 and its many heirs). */
export function unsign(token: string, alg = 'none'): string {
  const [header, payload] = partsOf(token);
  return `${encodePart({ ...decode(header), alg })}.${payload}.`;
}

/**
 * The token as `alg: HS256`, with the issuer's public key as the secret (CVE-2016-5431): a verifier
 * that lets the token choose the algorithm accepts it.
 */
export function signWithPublicKey(token: string, publicKey: KeyObject | JsonWebKey): string {
  const [header, payload] = partsOf(token);
  const key = 'kty' in publicKey ? createPublicKey({ key: publicKey, format: 'jwk' }) : publicKey;
  const secret = (key as KeyObject).export({ type: 'spki', format: 'pem' });
  const input = `${encodePart({ ...decode(header), alg: 'HS256' })}.${payload}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

function partsOf(token: string): [header: string, payload: string, signature: string] {
  const [header, payload, signature, ...rest] = token.split('.');
  if (!header || !payload || !signature || rest.length > 0) {
    throw new TypeError('Expected a signed token in compact serialization.');
  }
  return [header, payload, signature];
}

function decode(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
}
