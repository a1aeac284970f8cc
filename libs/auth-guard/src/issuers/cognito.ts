import { InvalidTokenError } from '../errors.js';
import type { TokenDialect } from '../token/dialect.js';
import type { IssuerOptions, PresetOptions } from './issuer-options.js';

/** Which user pool's tokens are accepted. */
export interface CognitoOptions extends Omit<PresetOptions, 'audience'> {
  /** The region, such as `eu-central-1`. */
  region: string;
  /** The pool's id, such as `eu-central-1_AbCdEf123`. */
  userPoolId: string;
  /** The app clients whose users and whose own tokens are accepted. */
  clientIds: string | readonly string[];
}

/**
 * Access tokens of an Amazon Cognito user pool.
 *
 * What is relaxed: the header has no `typ`, so that `token_use: access` tells access tokens from ID
 * tokens. There is no `aud`: `client_id` stands in, so a token opens every service that lists its
 * client, whatever it was meant for. Roles are the groups (`cognito:groups`).
 */
export function cognito({
  region,
  userPoolId,
  clientIds,
  ...options
}: CognitoOptions): IssuerOptions {
  const issuer = `https://cognito-idp.${region}.amazonaws.com/${userPoolId}`;
  return {
    keys: { jwksUri: `${issuer}/.well-known/jwks.json` },
    ...options,
    audience: clientIds,
    issuer,
    dialect: DIALECT,
  };
}

const DIALECT: TokenDialect = {
  types: [undefined],
  read(claims) {
    if (claims.token_use !== 'access') {
      throw new InvalidTokenError('token_type_invalid', { detail: 'Expected an access token.' });
    }
    return {
      // Subjects of users are ids that Cognito makes; they cannot be chosen.
      kind: claims.sub === claims.client_id ? 'service' : 'user',
      claims: { ...claims, aud: claims.client_id, roles: claims['cognito:groups'] },
    };
  },
};
