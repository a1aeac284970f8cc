import { Module, UseGuards } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { AuthGuardModule, Roles } from '@signet/auth-guard';
import { auditController, AuditModule, DatabaseModule, JobsModule } from '@signet/database';
import { MetricsModule } from '@signet/http';
import type { ServiceOptions } from '@signet/http';
import { fileURLToPath } from 'node:url';
import { AccountsController } from './accounts/accounts.controller.js';
import { AccountsService } from './accounts/accounts.service.js';
import { LoginWatch } from './accounts/login-watch.js';
import { PasswordHasher } from './accounts/password-hasher.js';
import { SeedingService } from './accounts/seeding.service.js';
import { Throttle } from './accounts/throttle.js';
import { UserAdministrationService } from './accounts/user-administration.service.js';
import { UsersController } from './accounts/users.controller.js';
import { AUDIT_ACTIONS } from './audit/audit-actions.js';
import { ClientDirectory } from './clients/client-directory.js';
import { ClientsController } from './clients/clients.controller.js';
import { ClientsService } from './clients/clients.service.js';
import { ConfiguredClients } from './clients/configured-clients.js';
import { AUTH_CONFIG } from './config.js';
import type { AuthConfig } from './config.js';
import { KeyRing } from './keys/key-ring.js';
import { KeysController } from './keys/keys.controller.js';
import { KeysModule } from './keys/keys.module.js';
import { PLATFORM } from './oidc/audiences.js';
import { AccessTokens } from './oidc/access-tokens.js';
import { Authorizations } from './oidc/authorizations.js';
import { Claims } from './oidc/claims.js';
import { OidcEngine } from './oidc/engine.js';
import { GrantWatch } from './oidc/grant-watch.js';
import { LockedRefreshes } from './oidc/locked-refreshes.js';
import { LogoutDelivery } from './oidc/logout-delivery.js';
import { LOGOUT_NOTICES, LOGOUT_QUEUE, LogoutNotices } from './oidc/logout-notices.js';
import { OidcMount } from './oidc/mount.js';
import { Proofs } from './oidc/proofs.js';
import { RefreshBatches } from './oidc/refresh-batches.js';
import { RefreshRotation } from './oidc/refresh-rotation.js';
import { SignOns } from './oidc/sign-ons.js';
import { UnitOfWork } from './oidc/unit-of-work.js';
import { UserinfoController } from './oidc/userinfo.controller.js';
import { AdminRevocationsController } from './revocations/admin-revocations.controller.js';
import { RevocationFeed } from './revocations/feed.js';
import { RevocationFeedModule } from './revocations/revocation-feed.module.js';
import { LiveSessionGuard } from './sessions/live-session.guard.js';
import { LoginService } from './sessions/login.service.js';
import { RefreshCookie } from './sessions/refresh-cookie.js';
import { SessionStore } from './sessions/session-store.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { SessionsService } from './sessions/sessions.service.js';
import { Sweeper } from './sessions/sweeper.js';
import { BrowserSignOnService } from './sign-in/browser-sign-on.service.js';
import { SignInController } from './sign-in/sign-in.controller.js';
import { SignInPages } from './sign-in/sign-in-pages.service.js';
import { SignInService } from './sign-in/sign-in.service.js';
import { SignOnController } from './sign-in/sign-on.controller.js';

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url));

/** The auth service: who you are. */
export function authService(config: AuthConfig): ServiceOptions {
  return {
    name: 'auth',
    title: 'Signet auth',
    description: 'Accounts, sessions, keys and the tokens that open every service.',
    module: AuthServiceModule.forRoot(config),
    config,
    takesCookies: true,
  };
}

/** Hands the configuration to whoever injects `AUTH_CONFIG`. */
@Module({})
class AuthConfigModule {}

/**
 * Accounts, sessions and the engine are rooms of one service, not modules of their own: a login needs
 * all three, and each of them ends or reads what the others keep.
 */
@Module({})
export class AuthServiceModule {
  static forRoot(config: AuthConfig): DynamicModule {
    return {
      module: AuthServiceModule,
      imports: [
        {
          module: AuthConfigModule,
          global: true,
          providers: [{ provide: AUTH_CONFIG, useValue: config }],
          exports: [AUTH_CONFIG],
        },
        DatabaseModule.forRoot({
          url: config.DATABASE_URL,
          applicationName: 'auth',
          poolSize: config.DATABASE_POOL_SIZE,
          migrations: MIGRATIONS,
        }),
        JobsModule.forRoot({ queues: { [LOGOUT_NOTICES]: LOGOUT_QUEUE } }),
        MetricsModule,
        AuditModule,
        KeysModule,
        RevocationFeedModule,
        AuthGuardModule.forRootAsync({
          imports: [KeysModule, RevocationFeedModule],
          inject: [KeyRing, RevocationFeed],
          // Keys and revocations are at hand: no HTTP to ourselves. Routes that depend on the session
          // ask the database (`LiveSessionGuard`); logout may come twice.
          useFactory: (keys: KeyRing, feed: RevocationFeed) => ({
            issuer: config.SIGNET_ISSUER,
            audience: PLATFORM,
            keys,
            dpop: { publicUrls: config.SIGNET_ISSUER },
            resourceMetadata: { resource: config.SIGNET_ISSUER },
            revocation: { age: () => feed.age() },
          }),
        }),
      ],
      controllers: [
        AccountsController,
        SessionsController,
        UsersController,
        KeysController,
        ClientsController,
        AdminRevocationsController,
        SignInController,
        SignOnController,
        UserinfoController,
        auditController(AUDIT_ACTIONS, Roles('admin'), UseGuards(LiveSessionGuard)),
      ],
      providers: [
        AccountsService,
        PasswordHasher,
        SeedingService,
        Throttle,
        LoginWatch,
        UserAdministrationService,
        ClientDirectory,
        ClientsService,
        ConfiguredClients,
        SessionStore,
        SessionsService,
        LoginService,
        RefreshCookie,
        Sweeper,
        BrowserSignOnService,
        SignInPages,
        SignInService,
        AccessTokens,
        Authorizations,
        Claims,
        Proofs,
        GrantWatch,
        LogoutNotices,
        LogoutDelivery,
        SignOns,
        UnitOfWork,
        RefreshBatches,
        LockedRefreshes,
        RefreshRotation,
        OidcEngine,
        OidcMount,
      ],
    };
  }
}
