import { InvalidTokenError } from '../errors.js';
import type { JsonObject } from '../jws/json.js';
import type { TokenDialect } from '../token/dialect.js';
import type { IssuerOptions, PresetOptions } from './issuer-options.js';

export interface EntraIdOptions extends PresetOptions {
  /** The directory's id. One tenant each: list several as issuers of their own. */
  tenantId: string;
}

/**
 * Access tokens of Microsoft Entra ID, version 2.0 (`accessTokenAcceptedVersion: 2` in the API's
 * manifest); `audience` is the API's client id.
 *
 * What is relaxed: `typ` may be `JWT`, so that an access token is told by `azp` and by `scp` or the
 * marks of an application's own token, which ID tokens do not have. The client is read from `azp`, the
 * scopes from `scp`, the id from `uti`. An application's permissions, which Entra calls roles, are its
 * scopes here, so that `@Scopes()` means services as everywhere. Entra's tokens live for up to 90
 * minutes and are dated back by five: up to 100 minutes are accepted unless `maxTokenLifetime` says less.
 */
export function entraId({ tenantId, ...options }: EntraIdOptions): IssuerOptions {
  const authority = `https://login.microsoftonline.com/${encodeURIComponent(tenantId)}`;
  return {
    keys: { jwksUri: `${authority}/discovery/v2.0/keys` },
    maxTokenLifetime: 6_000,
    ...options,
    issuer: `${authority}/v2.0`,
    dialect: DIALECT,
  };
}

const DIALECT: TokenDialect = {
  types: ['JWT', 'at+jwt'],
  read(claims) {
    const standard = { ...claims, client_id: claims.azp, jti: claims.uti };
    if (claims.scp !== undefined)
      return { kind: 'user', claims: { ...standard, scope: claims.scp } };
    if (claims.azp === undefined || !isApplications(claims)) {
      throw new InvalidTokenError('token_type_invalid', { detail: 'Expected an access token.' });
    }
    const scope = Array.isArray(claims.roles) ? claims.roles.join(' ') : claims.roles;
    return { kind: 'service', claims: { ...standard, scope, roles: undefined } };
  },
};

/** An application speaks for itself: it says so, or its subject is its own object in the directory. */
function isApplications({ idtyp, oid, sub }: JsonObject): boolean {
  return idtyp === 'app' || (idtyp === undefined && oid !== undefined && oid === sub);
}
