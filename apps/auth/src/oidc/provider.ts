import Provider from 'oidc-provider';
import type {
  AdapterFactory,
  Client,
  ClientMetadata,
  Configuration,
  JWK,
  KoaContextWithOIDC,
} from 'oidc-provider';
import { assertClientAssertion } from '../clients/client-assertion.js';
import type { AuthConfig } from '../config.js';
import { CLIENT_KEY_ALGORITHMS } from '../clients/client-keys.js';
import { isClientSecret } from '../clients/client-secret.js';
import { OWN_METADATA } from '../clients/engine-client.js';
import { CLIENT_AUTH_METHODS } from '../clients/grants.js';
import type { Claims } from './claims.js';
import { cacheKeySet } from './key-set-caching.js';
import { resourceIndicators } from './resource-servers.js';
import type { RefreshRotation } from './refresh-rotation.js';
import type { UnitOfWork } from './unit-of-work.js';

export interface ProviderParts {
  config: AuthConfig;
  adapter: AdapterFactory;
  claims: Claims;
  unit: UnitOfWork;
  rotation: RefreshRotation;
  /** Those of the configuration. The adapter knows the others. */
  clients: ClientMetadata[];
  /** Private keys, the signing one first. */
  keys: readonly JWK[];
  /** Whether these are the keys in the database, as far as can be known. */
  keysAreCurrent: () => boolean;
}

export const JWKS_PATH = '/.well-known/jwks.json';
export const TOKEN_PATH = '/oauth/token';

/** Makes the engine. It reads its keys here and never again: other keys, another engine. */
export function createProvider(parts: ProviderParts): Provider {
  const provider = new Provider(parts.config.SIGNET_ISSUER, configuration(parts));
  // The mount sets the forwarding headers itself, from what Fastify trusts.
  provider.proxy = true;
  provider.use((context, next) => parts.unit.run(next, () => context.status < 500));
  provider.use(parts.rotation.deliver);
  provider.use(
    cacheKeySet(JWKS_PATH, parts.config.SIGNET_JWKS_MAX_AGE_SECONDS, parts.keysAreCurrent),
  );
  // Clients' secrets are not known here, only hashes of them.
  provider.Client.prototype.compareClientSecret = function (this: Client, secret: string) {
    return isClientSecret(this.clientSecret, secret);
  };
  return provider;
}

function configuration(parts: ProviderParts): Configuration {
  const { config, adapter, claims, rotation, clients, keys } = parts;
  return {
    adapter,
    jwks: { keys },
    clients,
    extraClientMetadata: { properties: [...OWN_METADATA] },
    clientAuthMethods: [...CLIENT_AUTH_METHODS],
    cookies: { keys: [config.SIGNET_COOKIE_SECRET] },
    responseTypes: ['code'],
    pkce: { required: () => true },
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256'],
      clientAuthSigningAlgValues: [...CLIENT_KEY_ALGORITHMS],
    },
    assertJwtClientAuthClaimsAndHeader: (context, claims) =>
      assertClientAssertion(claims, context.oidc.issuer),
    rotateRefreshToken: (context) => rotation.decide(context),
    findAccount: (_context, userId) => claims.account(userId),
    extraTokenClaims: (_context, token) => claims.ofAccessToken(token),
    routes,
    ttl: lifetimes(config),
    renderError,
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: resourceIndicators(config.SIGNET_ACCESS_TOKEN_SECONDS),
      // On by default, and not to be had here yet.
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
    },
  };
}

/** Below `/oauth/`, so that no route of the engine's can meet one of ours. */
const routes = { authorization: '/oauth/authorize', token: TOKEN_PATH, jwks: JWKS_PATH };

/** Seconds. */
function lifetimes(config: AuthConfig): Configuration['ttl'] {
  return {
    AccessToken: config.SIGNET_ACCESS_TOKEN_SECONDS,
    ClientCredentials: config.SIGNET_ACCESS_TOKEN_SECONDS,
    AuthorizationCode: 60,
    // A token that is not exchanged lasts as long as its session, whose row knows the idle limit.
    RefreshToken: (_context, _token, client) =>
      client.clientAuthMethod === 'none'
        ? config.SIGNET_SESSION_IDLE_SECONDS
        : config.SIGNET_SESSION_ABSOLUTE_SECONDS,
    Grant: config.SIGNET_SESSION_ABSOLUTE_SECONDS,
    // Signed with the same keys, which are kept for as long as access tokens live.
    IdToken: config.SIGNET_ACCESS_TOKEN_SECONDS,
    Interaction: 60 * 60,
    Session: config.SIGNET_SESSION_IDLE_SECONDS,
  };
}

function renderError(context: KoaContextWithOIDC, out: object): void {
  context.type = 'json';
  context.body = out;
}
