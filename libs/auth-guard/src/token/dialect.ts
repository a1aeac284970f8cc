import type { JsonObject } from '../jws/json.js';

/**
 * How an issuer that does not keep to RFC 9068 says the same things. Each part relaxes something; the
 * signature, `iss`, `aud`, the times and the types of all claims stay as strict as ever.
 *
 * Dialects for Keycloak, Auth0, Entra ID and Cognito come with the package; write one for another.
 */
export interface TokenDialect {
  /**
   * The values of the header's `typ` that are accepted; undefined for a header without one. What this
   * costs: `at+jwt` is what tells an access token from an ID token or a logout token of the same issuer.
   * Where another `typ` is accepted, `read` must tell them apart.
   */
  readonly types: readonly (string | undefined)[];
  /**
   * Says in the claims of RFC 9068 what the token says in its own. Called when a token is verified,
   * after its signature has proved right.
   *
   * @throws {InvalidTokenError} when the token is not an access token
   */
  read(claims: JsonObject): StandardClaims;
}

/** The claims of an access token under the names of RFC 9068, to be checked like those. */
export interface StandardClaims {
  /**
   * Whose token it is. RFC 9068 tells a service's by `sub` being equal to `client_id`; an issuer whose
   * tokens do not show it so needs a rule that no user can meet.
   */
  readonly kind: 'user' | 'service';
  /** Claims to put in place of the token's own; undefined leaves one out. */
  readonly claims: JsonObject;
}
