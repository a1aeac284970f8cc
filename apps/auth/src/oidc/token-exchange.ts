import { errors } from 'oidc-provider';
import type Provider from 'oidc-provider';
import type { TokenEndpointGrantContext } from 'oidc-provider';
import { EXCHANGE_GRANT } from '../clients/grants.js';
import type { AccessTokenClaims, AccessTokens } from './access-tokens.js';
import { isServiceAudience, PLATFORM } from './audiences.js';
import { audiencesOf, resourceServer } from './resource-servers.js';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** The `gty` of tokens that were exchanged. */
export const EXCHANGED = 'token_exchange';

/** An exchanged token is for one call or a few. */
const MAX_SECONDS = 5 * 60;

interface Parameters {
  subject_token?: string;
  subject_token_type?: string;
  requested_token_type?: string;
  actor_token?: string;
  resource?: string;
  audience?: string;
  scope?: string;
}

type Context = TokenEndpointGrantContext<Parameters>;

/**
 * Token exchange (RFC 8693) as delegation: a service that was called with a user's token gets one for
 * the next service, which is good there alone, soon over, and says who acts for the user. It carries
 * the user's roles as they are now and ends with the user's login.
 */
export function registerTokenExchange(provider: Provider, tokens: AccessTokens): void {
  provider.registerGrantType<Parameters>(EXCHANGE_GRANT, (context) => exchange(context, tokens), [
    'subject_token',
    'subject_token_type',
    'requested_token_type',
    'actor_token',
    'actor_token_type',
    'resource',
    'audience',
    'scope',
  ]);
}

async function exchange(context: Context, tokens: AccessTokens): Promise<void> {
  const { client, params, provider } = context.oidc;
  const { audience, scope } = target(context);
  assertSupported(params);
  const subject = await tokens.read(params.subject_token ?? '');
  if (!subject || !isDelegable(subject) || !(await tokens.isActive(subject))) {
    throw new errors.InvalidRequest(
      'the subject token is not a user’s access token that is good now',
    );
  }
  const remaining = Math.floor(subject.exp - Date.now() / 1000);
  const expiresIn = Math.min(MAX_SECONDS, remaining);
  if (expiresIn < 1) throw new errors.InvalidRequest('the subject token is about to expire');
  const info = resourceServer(scope, expiresIn);
  const token = new provider.AccessToken({
    client,
    accountId: subject.sub,
    grantId: subject.sid,
    gty: EXCHANGED,
    expiresIn,
    resourceServer: new provider.ResourceServer(audience, info),
    ...(scope !== '' && { scope }),
  });
  context.body = {
    access_token: await token.save(),
    issued_token_type: ACCESS_TOKEN,
    token_type: 'Bearer',
    expires_in: expiresIn,
    ...(scope !== '' && { scope }),
  };
}

function assertSupported(params: Parameters): void {
  const { subject_token_type, requested_token_type = ACCESS_TOKEN, actor_token } = params;
  if (subject_token_type !== ACCESS_TOKEN || requested_token_type !== ACCESS_TOKEN) {
    throw new errors.InvalidRequest(`expected ${ACCESS_TOKEN} as the type of both tokens`);
  }
  if (actor_token !== undefined) {
    throw new errors.InvalidRequest('the client itself is the actor: send no actor_token');
  }
}

/** The one service that the token is for, and what it may say there. */
function target({ oidc: { client, params } }: Context): { audience: string; scope: string } {
  const audience = params.resource ?? params.audience ?? '';
  const allowed = audiencesOf(client);
  if (!isServiceAudience(audience) || !Object.hasOwn(allowed, audience)) {
    throw new errors.InvalidTarget('name one service that this client may call for users');
  }
  const scope = params.scope ?? '';
  const asked = scope === '' ? [] : scope.split(' ');
  const refused = asked.find((each) => !allowed[audience]?.includes(each));
  if (refused !== undefined) throw new errors.InvalidScope('not allowed for this client', refused);
  return { audience, scope };
}

/**
 * A user's own token, as it opens the platform. One that is bound to a key is its holder's alone, and
 * one that was exchanged before has gone as far as it should.
 */
function isDelegable(claims: AccessTokenClaims): claims is AccessTokenClaims & { sid: string } {
  const { aud, sub, client_id, sid, act, cnf } = claims;
  return aud === PLATFORM && sub !== client_id && sid !== undefined && !act && !cnf;
}
