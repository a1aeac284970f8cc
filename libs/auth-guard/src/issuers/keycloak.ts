import { InvalidTokenError } from '../errors.js';
import type { JsonObject } from '../jws/json.js';
import type { TokenDialect } from '../token/dialect.js';
import type { IssuerOptions, PresetOptions } from './issuer-options.js';
import { memberOf, textOf } from './members.js';

export interface KeycloakOptions extends PresetOptions {
  /** Where Keycloak is, such as `https://sso.example.com`. */
  url: string;
  /** The realm's name, as its address has it. */
  realm: string;
  /** Takes the roles of this client (`resource_access`) in place of the realm's (`realm_access`). */
  clientRoles?: string;
}

/**
 * Access tokens of a Keycloak realm. Give the service an audience of its own in Keycloak (a client
 * scope with an audience mapper); `account`, which many tokens name, is Keycloak's.
 *
 * What is relaxed: `typ` may be `JWT`, so that the claim `typ` (`Bearer` or `DPoP`) tells access tokens from ID
 * tokens; the client is read from `azp`. A service account is told by its `client_id` claim and the
 * user name that Keycloak reserves for it.
 *
 * @example
 * AuthGuardModule.forRoot(keycloak({ url: 'https://sso.example.com', realm: 'shop', audience: 'orders' }))
 */
export function keycloak({ url, realm, clientRoles, ...options }: KeycloakOptions): IssuerOptions {
  const issuer = `${url.replace(/\/+$/, '')}/realms/${encodeURIComponent(realm)}`;
  return {
    keys: { jwksUri: `${issuer}/protocol/openid-connect/certs` },
    ...options,
    issuer,
    dialect: dialect(clientRoles),
  };
}

function dialect(clientRoles: string | undefined): TokenDialect {
  return {
    types: ['JWT', 'at+jwt'],
    read(claims) {
      if (claims.typ !== 'Bearer' && claims.typ !== 'DPoP') {
        throw new InvalidTokenError('token_type_invalid', { detail: 'Expected an access token.' });
      }
      const holder =
        clientRoles === undefined
          ? claims.realm_access
          : memberOf(claims.resource_access, clientRoles);
      const roles = memberOf(holder, 'roles');
      return {
        kind: isServiceAccount(claims) ? 'service' : 'user',
        claims: { ...claims, client_id: claims.azp, roles },
      };
    },
  };
}

/** Keycloak names a client's own user after it, and no user can register such a name. */
function isServiceAccount({ client_id, azp, preferred_username }: JsonObject): boolean {
  const clientId = textOf(client_id);
  return (
    clientId !== undefined &&
    clientId === azp &&
    preferred_username === `service-account-${clientId.toLowerCase()}`
  );
}
