import { Global, Logger, Module } from '@nestjs/common';
import type { NestModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Authenticator, bearerOnly } from '../authentication/authenticator.js';
import { Dpop } from '../dpop/dpop.js';
import { TrustedIssuers } from '../issuers/trusted-issuers.js';
import { keySource } from '../keys/from-options.js';
import { Revocations } from '../revocation/revocations.js';
import { CallCounts } from '../metrics/call-counts.js';
import { TokenVerifier } from '../token/verifier.js';
import { AccessGuard } from './access.guard.js';
import { CallKinds } from './calls/call-kinds.js';
import { GuardMetrics } from './guard-metrics.js';
import { GuardLifecycle } from './guard-lifecycle.js';
import { JwtStrategy } from './jwt.strategy.js';
import { KeyReadiness } from './key-readiness.js';
import { MessageGuard } from './message-guard.js';
import { ConfigurableModuleClass, KEY_SOURCE, MODULE_OPTIONS_TOKEN } from './module-definition.js';
import type { AuthGuardOptions } from './options.js';
import { Refusals } from './refusals.js';
import { ResourceMetadata } from './resource-metadata.js';
import { RouteTable } from './route-table.js';
import { knownIssuers } from './trusted-issuers.js';
import type { KnownIssuers } from './trusted-issuers.js';
import { ConnectionDoor } from './sockets/guard-sockets.js';
import { LiveConnections } from './sockets/live-connections.js';
import { LiveStreams } from './streams/live-streams.js';

const KNOWN_ISSUERS = Symbol('known issuers');

/**
 * Protects every route of the application. Import it once, in the root module, with `forRoot()` or
 * `forRootAsync()`.
 *
 * @example
 * AuthGuardModule.forRoot({
 *   issuer: 'https://auth.example',
 *   audience: 'urn:example:api',
 *   keys: { jwksUri: 'https://auth.example/.well-known/jwks.json' },
 * })
 */
@Global()
@Module({
  providers: [
    {
      provide: KEY_SOURCE,
      useFactory: ({ keys, issuer, clock }: AuthGuardOptions) =>
        keySource(keys, { issuer, log: new Logger('AuthGuard'), ...(clock ? { clock } : {}) }),
      inject: [MODULE_OPTIONS_TOKEN],
    },
    {
      provide: KNOWN_ISSUERS,
      useFactory: knownIssuers,
      inject: [MODULE_OPTIONS_TOKEN, KEY_SOURCE],
    },
    {
      provide: TrustedIssuers,
      useFactory: ({ issuers }: KnownIssuers) => issuers,
      inject: [KNOWN_ISSUERS],
    },
    {
      provide: Revocations,
      useFactory: ({ revocations }: KnownIssuers) => revocations,
      inject: [KNOWN_ISSUERS],
    },
    {
      // Given away, it is asked without a request, and so without a proof.
      provide: TokenVerifier,
      useFactory: (issuers: TrustedIssuers) => bearerOnly(issuers),
      inject: [TrustedIssuers],
    },
    {
      provide: Authenticator,
      useFactory: ({ cookie, dpop, clock }: AuthGuardOptions, verifier: TrustedIssuers) =>
        new Authenticator({
          verifier,
          cookie,
          dpop: dpop && new Dpop(dpop, clock),
        }),
      inject: [MODULE_OPTIONS_TOKEN, TrustedIssuers],
    },
    CallCounts,
    GuardMetrics,
    LiveConnections,
    LiveStreams,
    ConnectionDoor,
    CallKinds,
    Refusals,
    AccessGuard,
    MessageGuard,
    { provide: APP_GUARD, useExisting: AccessGuard },
    JwtStrategy,
    RouteTable,
    ResourceMetadata,
    GuardLifecycle,
    KeyReadiness,
  ],
  exports: [
    ...[KEY_SOURCE, TokenVerifier, Revocations, KeyReadiness],
    ...[Authenticator, GuardMetrics, LiveConnections, LiveStreams, AccessGuard, MessageGuard],
    Refusals,
  ],
})
export class AuthGuardModule extends ConfigurableModuleClass implements NestModule {
  /** @internal */
  constructor(private readonly metadata: ResourceMetadata) {
    super();
  }

  /**
   * Nest calls it before it gives controllers their routes, and in applications that serve HTTP alone.
   *
   * @internal
   */
  configure(): void {
    this.metadata.mount();
  }
}
