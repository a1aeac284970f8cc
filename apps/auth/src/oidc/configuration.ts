import type {
  AdapterFactory,
  Client,
  ClientMetadata,
  Configuration,
  ExternalSigningKey,
  KoaContextWithOIDC,
} from 'oidc-provider';
import { assertClientAssertion } from '../clients/client-assertion.js';
import { CLIENT_KEY_ALGORITHMS } from '../clients/client-keys.js';
import { OWN_METADATA } from '../clients/engine-client.js';
import { CLIENT_AUTH_METHODS } from '../clients/grants.js';
import type { AuthConfig } from '../config.js';
import { BY_PASSWORD } from '../sessions/authentication.js';
import type { AccessTokens } from './access-tokens.js';
import { OPENID_SCOPES } from './audiences.js';
import type { Authorizations } from './authorizations.js';
import type { Claims } from './claims.js';
import { browserCookies } from './cookies.js';
import { deviceFlow } from './device-flow.js';
import { policy } from './interaction-policy.js';
import { rpInitiatedLogout } from './logout.js';
import { furtherMetadata } from './metadata.js';
import { renderError } from './pages-policy.js';
import { ROUTES } from './paths.js';
import type { RefreshRotation } from './refresh-rotation.js';
import { resourceIndicators } from './resource-servers.js';
import { keyFor } from './secret-box.js';
import type { SignOns } from './sign-ons.js';
import { introspection } from './structured-tokens.js';

export interface ConfigurationParts {
  config: AuthConfig;
  adapter: AdapterFactory;
  claims: Claims;
  rotation: RefreshRotation;
  signOns: SignOns;
  authorizations: Authorizations;
  tokens: AccessTokens;
  /** Those of the configuration. The adapter knows the others. */
  clients: ClientMetadata[];
  /** The signing one first. */
  keys: readonly ExternalSigningKey[];
}

export function configuration(parts: ConfigurationParts): Configuration {
  const { config, adapter, claims, rotation, signOns, authorizations, clients, keys } = parts;
  return {
    adapter,
    jwks: { keys },
    clients,
    extraClientMetadata: { properties: [...OWN_METADATA] },
    clientAuthMethods: [...CLIENT_AUTH_METHODS],
    clientBasedCORS,
    cookies: browserCookies(config),
    responseTypes: ['code'],
    pkce: { required: () => true },
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256'],
      clientAuthSigningAlgValues: [...CLIENT_KEY_ALGORITHMS],
    },
    assertJwtClientAuthClaimsAndHeader: (context, assertion) =>
      assertClientAssertion(assertion, context.oidc.issuer),
    scopes: [...OPENID_SCOPES],
    claims: { openid: ['sub', 'auth_time', 'acr', 'amr'], email: ['email'], sid: null, iss: null },
    acrValues: [BY_PASSWORD.acr],
    interactions: {
      policy: policy(signOns, authorizations),
      url: (_context, { uid }) => `/sign-in/${uid}`,
    },
    loadExistingGrant: (context) => Promise.resolve(authorizations.grantFor(context)),
    // Sessions know which sign-on they end with, so that one may have several of a client's.
    expiresWithSession: () => false,
    issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: (context) => rotation.decide(context),
    findAccount: (_context, userId) => claims.account(userId),
    extraTokenClaims: (_context, token) => claims.ofAccessToken(token),
    formats: {
      customizers: {
        jwt: (_context, token, { payload }) => claims.dateAccessToken(token, payload),
      },
    },
    discovery: furtherMetadata(config.SIGNET_ISSUER),
    routes: ROUTES,
    ttl: lifetimes(config),
    renderError,
    features: features(config),
  };
}

function features(config: AuthConfig): Configuration['features'] {
  return {
    backchannelLogout: { enabled: true },
    clientCredentials: { enabled: true },
    deviceFlow,
    // Pinned like the engine itself: another version of it must be agreed to here.
    externalSigningSupport: { enabled: true, ack: 'experimental-01' },
    dPoP: {
      enabled: true,
      nonceSecret: keyFor('dpop nonce', config.SIGNET_COOKIE_SECRET),
      // A proof that was made in advance, and stolen, is of no use.
      requireNonce: () => true,
    },
    introspection,
    pushedAuthorizationRequests: { enabled: true },
    resourceIndicators: resourceIndicators(config.SIGNET_ACCESS_TOKEN_SECONDS),
    revocation: { enabled: true, allowedPolicy: mayRevoke },
    rpInitiatedLogout,
    // On by default.
    devInteractions: { enabled: false },
    // A controller answers instead.
    userinfo: { enabled: false },
  };
}

/** A public client may forget what is not its own; it is told nothing about it. */
function mayRevoke(_context: unknown, client: Client, token: { clientId?: string | undefined }) {
  return token.clientId === client.clientId;
}

/** A page may ask for tokens from where its client can be called back, without credentials. */
function clientBasedCORS(_context: unknown, origin: string, client: Client): boolean {
  return (
    client.clientAuthMethod === 'none' &&
    origin !== 'null' &&
    (client.redirectUris ?? []).some((uri) => new URL(uri).origin === origin)
  );
}

/** Seconds. */
function lifetimes(config: AuthConfig): Configuration['ttl'] {
  return {
    AccessToken: config.SIGNET_ACCESS_TOKEN_SECONDS,
    ClientCredentials: config.SIGNET_ACCESS_TOKEN_SECONDS,
    AuthorizationCode: 60,
    DeviceCode: 10 * 60,
    // A token that is not exchanged lasts as long as its session, whose row knows the idle limit.
    RefreshToken: (_context: KoaContextWithOIDC, _token, client) =>
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
