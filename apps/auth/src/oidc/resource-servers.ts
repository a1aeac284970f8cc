import { errors } from 'oidc-provider';
import type { Client, KoaContextWithOIDC, ResourceServer } from 'oidc-provider';
import { CLIENT_AUDIENCES, PLATFORM } from './audiences.js';

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
    defaultResource: (_context: KoaContextWithOIDC, client: Client, oneOf?: readonly string[]) => {
      const [audience, ...others] = oneOf ?? Object.keys(audiencesOf(client));
      if (audience !== undefined && others.length === 0) return audience;
      throw new errors.InvalidTarget('name the audience of the token with the parameter resource');
    },
    useGrantedResource: () => true,
    getResourceServerInfo: (context: KoaContextWithOIDC, audience: string, client: Client) => {
      const scopes = audiencesOf(client)[audience];
      const forItself = context.oidc.params?.grant_type === 'client_credentials';
      if (!scopes || (forItself && audience === PLATFORM)) {
        throw new errors.InvalidTarget('this client may not ask for tokens for this resource');
      }
      return resourceServer(scopes.join(' '), lifetime);
    },
  };
}

function audiencesOf(client: Client): Record<string, readonly string[]> {
  const audiences = client[CLIENT_AUDIENCES];
  return audiences ? (audiences as Record<string, readonly string[]>) : {};
}
