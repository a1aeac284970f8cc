import { errors } from 'oidc-provider';

/** Each assertion is remembered until it expires, so that it is good once. */
const MAX_SECONDS = 10 * 60;

/**
 * What an assertion by which a client authenticates (RFC 7523 section 3) must say beyond what the
 * engine checks: it is for this issuer and nobody else, who could have passed it on to us, and soon
 * over.
 *
 * @throws {errors.InvalidClientAuth}
 */
export function assertClientAssertion(claims: Record<string, unknown>, issuer: string): void {
  if (claims.aud !== issuer) {
    throw new errors.InvalidClientAuth(
      'the audience (aud) of the assertion must be the issuer alone',
    );
  }
  if (Number(claims.exp) - Date.now() / 1000 > MAX_SECONDS) {
    throw new errors.InvalidClientAuth(`an assertion may live for ${MAX_SECONDS} seconds`);
  }
}
