import { errors } from 'oidc-provider';
import type { Client, KoaContextWithOIDC, ResourceServer } from 'oidc-provider';
import { CLIENT_AUDIENCES, isServiceAudience, PLATFORM, USERINFO } from './audiences.js';

/** What a user's token can say beside the scopes of its audience, for the userinfo endpoint. */
const ABOUT_THE_USER = ['openid', 'email'];

/**
 * What the engine needs to know to make a token for `audience`.
 *
 * @param scope what the token may say at most, separated by spaces
 */
export function resourceServer(scope: string, lifetime: number): ResourceServer {
  return {
    scope,
    accessTokenTTL: lifetime,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'RS256' } },
  };
}

/** The engine's questions about resource indicators (RFC 8707), answered from the client's metadata. */
export function resourceIndicators(lifetime: number) {
  return {
    enabled: true,
    defaultResource: (context: KoaContextWithOIDC, client: Client, oneOf?: readonly string[]) => {
      const [audience, ...others] = oneOf ?? defaultAudiences(context, client);
      if (audience !== undefined && others.length === 0) return audience;
      throw new errors.InvalidTarget('name the audience of the token with the parameter resource');
    },
    useGrantedResource: () => true,
    getResourceServerInfo: (context: KoaContextWithOIDC, audience: string, client: Client) => {
      const scopes = scopesFor(context, audience, client);
      if (scopes) return resourceServer(scopes.join(' '), lifetime);
      throw new errors.InvalidTarget('this client may not ask for tokens for this resource');
    },
  };
}

export function audiencesOf(client: Client): Record<string, readonly string[]> {
  const audiences = client[CLIENT_AUDIENCES];
  return audiences ? (audiences as Record<string, readonly string[]>) : {};
}

/** Services act for themselves on one service; clients that act for users on the platform, or not at all. */
function scopesFor(
  context: KoaContextWithOIDC,
  audience: string,
  client: Client,
): readonly string[] | undefined {
  const scopes = Object.hasOwn(audiencesOf(client), audience)
    ? audiencesOf(client)[audience]
    : undefined;
  if (actsForItself(context)) return isServiceAudience(audience) ? scopes : undefined;
  if (audience === PLATFORM) return scopes && [...ABOUT_THE_USER, ...scopes];
  return audience === USERINFO ? ABOUT_THE_USER : undefined;
}

function defaultAudiences(context: KoaContextWithOIDC, client: Client): readonly string[] {
  const audiences = Object.keys(audiencesOf(client));
  if (actsForItself(context)) return audiences.filter(isServiceAudience);
  return [audiences.includes(PLATFORM) ? PLATFORM : USERINFO];
}

function actsForItself(context: KoaContextWithOIDC): boolean {
  return context.oidc.params?.grant_type === 'client_credentials';
}
