import { createHash } from 'node:crypto';
import type { JsonObject } from '../jws/json.js';
import type { TokenDialect } from '../token/dialect.js';
import type { IssuerOptions, PresetOptions } from './issuer-options.js';
import { textOf } from './members.js';

export interface Auth0Options extends PresetOptions {
  /** The tenant's domain, such as `shop.eu.auth0.com`, or your own. */
  domain: string;
  /** The claim that an Action puts the roles into, such as `https://example.com/roles`. None by default. */
  rolesClaim?: string;
}

/**
 * Access tokens of Auth0 for an API; `audience` is the API's identifier.
 *
 * What is relaxed: `typ` may be `JWT`, so that it is the audience alone that keeps ID tokens out: never
 * give an API the identifier of a client. The client is read from `azp`. A token without `jti` is named by a digest of its
 * claims. Auth0's tokens live for a day by default: shorten that there, or allow it with
 * `maxTokenLifetime`, which keeps a stolen token useful for as long.
 */
export function auth0({ domain, rolesClaim, ...options }: Auth0Options): IssuerOptions {
  const issuer = `https://${domain}/`;
  return {
    keys: { jwksUri: `${issuer}.well-known/jwks.json` },
    ...options,
    issuer,
    dialect: dialect(rolesClaim),
  };
}

function dialect(rolesClaim: string | undefined): TokenDialect {
  return {
    types: ['JWT', 'at+jwt'],
    read(claims) {
      const clientId = textOf(claims.azp) ?? textOf(claims.client_id);
      // Users' names have the connection before them (`auth0|…`), so none can end up with this one.
      const isService = clientId !== undefined && claims.sub === `${clientId}@clients`;
      return {
        kind: isService ? 'service' : 'user',
        claims: {
          ...claims,
          client_id: clientId,
          jti: claims.jti ?? digestOf(claims),
          roles: rolesClaim === undefined ? undefined : claims[rolesClaim],
        },
      };
    },
  };
}

function digestOf(claims: JsonObject): string {
  return createHash('sha256').update(JSON.stringify(claims)).digest('base64url');
}
