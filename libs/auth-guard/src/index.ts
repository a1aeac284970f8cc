export type { Access, Caller, OptionalToken, PublicAccess, TokenAccess } from './access/access.js';
export { AccessConflictError, describeAccess } from './access/access.js';
export type { AccessDecorator, PublicOptions } from './access/decorators.js';
export { accessOf, Authenticated, Public, Roles, Scopes } from './access/decorators.js';
export type { Owner } from './access/ownership.js';
export { isOwnerOr } from './access/ownership.js';
export type { AuthenticatorOptions, Verifier } from './authentication/authenticator.js';
export { Authenticator } from './authentication/authenticator.js';
export type { Credentials, TokenRequest, TokenScheme } from './authentication/credentials.js';
export type { TokenCookieOptions } from './authentication/token-cookie.js';
export type { Clock } from './clock.js';
export type { BoundRequest } from './dpop/dpop.js';
export { Dpop } from './dpop/dpop.js';
export type { DpopNonceOptions, DpopOptions } from './dpop/options.js';
export type { DpopAlgorithm } from './dpop/proof-key.js';
export type { ReplayStore } from './dpop/replay-store.js';
export { MemoryReplayStore } from './dpop/replay-store.js';
export type { AuthErrorCode, AuthErrorOptions, ChallengeError, MissingAccess } from './errors.js';
export {
  AmbiguousRequestError,
  AuthError,
  AuthGuardConfigurationError,
  DpopNonceError,
  InsufficientScopeError,
  InvalidTokenError,
  KeysUnavailableError,
  ReplayUnknownError,
  RevocationStateStaleError,
} from './errors.js';
export type { Auth0Options } from './issuers/auth0.js';
export { auth0 } from './issuers/auth0.js';
export type { CognitoOptions } from './issuers/cognito.js';
export { cognito } from './issuers/cognito.js';
export type { EntraIdOptions } from './issuers/entra-id.js';
export { entraId } from './issuers/entra-id.js';
export type { IssuerOptions, PresetOptions } from './issuers/issuer-options.js';
export type { KeycloakOptions } from './issuers/keycloak.js';
export { keycloak } from './issuers/keycloak.js';
export type { IssuerStatus, TrustedIssuer } from './issuers/trusted-issuers.js';
export { TrustedIssuers } from './issuers/trusted-issuers.js';
export type { JsonObject } from './jws/json.js';
export type { JwksOptions, KeysOptions, PublicKeyOptions } from './keys/from-options.js';
export { keySource } from './keys/from-options.js';
export type { JsonWebKeySet } from './keys/jwk-set.js';
export type { KeySource, KeyStatus } from './keys/key-source.js';
export type { RemoteKeysOptions } from './keys/remote/options.js';
export type { GuardLog } from './log.js';
export type { CallCount } from './metrics/call-counts.js';
export { AuthException } from './nest/auth.exception.js';
export { AuthGuardModule } from './nest/auth-guard.module.js';
export type { RpcOptions } from './nest/calls/rpc-calls.js';
export type { ProblemDetails } from './nest/challenge.js';
export { CurrentUser, principalOf } from './nest/current-user.decorator.js';
export type { GuardMetricsSnapshot } from './nest/guard-metrics.js';
export { GuardMetrics } from './nest/guard-metrics.js';
export { JwtStrategy } from './nest/jwt.strategy.js';
export { KeyReadiness } from './nest/key-readiness.js';
export { KEY_SOURCE } from './nest/module-definition.js';
export type { AuthGuardOptions } from './nest/options.js';
export { Refusals } from './nest/refusals.js';
export type { Route } from './nest/route-table.js';
export { listRoutes, UndeclaredAccessError } from './nest/route-table.js';
export type { SocketOptions } from './nest/sockets/guard-sockets.js';
export { guardSockets } from './nest/sockets/guard-sockets.js';
export { LiveConnections } from './nest/sockets/live-connections.js';
export type { OpenResponse, RawResponse } from './nest/streams/live-streams.js';
export { LiveStreams } from './nest/streams/live-streams.js';
export type { ResourceMetadataOptions } from './resource-metadata/options.js';
export type { Revocation } from './revocation/feed-format.js';
export { extendChain, fromLine, REVOCATION_FEED, toLine } from './revocation/feed-format.js';
export type { RevocationFollowerContext, RevocationFollowerStatus } from './revocation/follower.js';
export { RevocationFollower } from './revocation/follower.js';
export type { Position } from './revocation/messages.js';
export type { RevocationFeedOptions } from './revocation/options.js';
export type { RefusalReason } from './revocation/refusal.js';
export { RequireFresh } from './revocation/require-fresh.js';
export type { RevocationOptions } from './revocation/issuer-revocations.js';
export { Revocations } from './revocation/revocations.js';
export { RevokedTokens } from './revocation/revoked-tokens.js';
export type { StandardClaims, TokenDialect } from './token/dialect.js';
export type { Principal } from './token/principal.js';
export type { TokenProfileOptions } from './token/profile.js';
export type { RevocationCheck, TokenCounts, TokenVerifierOptions } from './token/verifier.js';
export { TokenVerifier } from './token/verifier.js';
