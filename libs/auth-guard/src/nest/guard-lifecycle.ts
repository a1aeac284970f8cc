import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { AuthGuardConfigurationError } from '../errors.js';
import { TrustedIssuers } from '../issuers/trusted-issuers.js';
import { Revocations } from '../revocation/revocations.js';
import { MessageGuard } from './message-guard.js';
import { RouteTable } from './route-table.js';
import { isGuarded } from './sockets/guard-sockets.js';
import { LiveConnections } from './sockets/live-connections.js';
import { LiveStreams } from './streams/live-streams.js';
import type { Principal } from '../token/principal.js';

/** What happens before the application serves, and when it stops. */
@Injectable()
export class GuardLifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly routes: RouteTable,
    private readonly messages: MessageGuard,
    private readonly config: ApplicationConfig,
    private readonly revocations: Revocations,
    private readonly connections: LiveConnections,
    private readonly streams: LiveStreams,
    private readonly issuers: TrustedIssuers,
  ) {}

  /**
   * @throws {UndeclaredAccessError} which keeps the application from starting
   * @throws {AuthGuardConfigurationError} for gateways whose connections nobody authenticates
   */
  async onModuleInit(): Promise<void> {
    this.sayWhatIsNotAsked();
    this.messages.assertAttached();
    this.assertSocketsGuarded();
    this.endWhatWasTakenBack();
    await this.issuers.start();
    await this.revocations.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.revocations.close();
    await this.issuers.close();
  }

  private endWhatWasTakenBack(): void {
    const isRevoked = (principal: Principal) => this.revocations.isRevoked(principal);
    this.revocations.onRevoked(() => {
      this.connections.closeWhere(isRevoked);
      this.streams.endWhere(isRevoked);
    });
    this.issuers.onKeyWithdrawn((concerns) => {
      this.connections.closeWhere(concerns, 'token_key_unknown');
      this.streams.endWhere(concerns, 'token_key_unknown');
    });
  }

  private sayWhatIsNotAsked(): void {
    const fresh = this.routes.list().filter(({ maxRevocationAge }) => maxRevocationAge);
    const { knowsAge, ageless } = this.revocations;
    if (fresh.length === 0 || ageless.length === 0) return;
    const names = fresh.map(({ controller, handler }) => `${controller}.${handler}`).join(', ');
    new Logger('AuthGuard').warn(
      knowsAge
        ? `Tokens of ${ageless.join(', ')} do not open ${names}: no revocation feed of that issuer` +
            ' is followed, and @RequireFresh() asks for one. Give it revocation.feed.url, or' +
            ' revocation.age if nothing has to be known.'
        : `No revocation feed is followed, so @RequireFresh() asks for nothing on ${names}:` +
            ' a revoked token opens them until it expires. Give the guard revocation.feed.url.',
    );
  }

  /** By now Nest has bound the gateways, to an adapter of its own if it was given none. */
  private assertSocketsGuarded(): void {
    const adapter = this.config.getIoAdapter() as object | null | undefined;
    if (!adapter || isGuarded(adapter) || !this.messages.hasGateways()) return;
    throw new AuthGuardConfigurationError(
      'The application has gateways whose connections nobody authenticates. Say' +
        ' app.useWebSocketAdapter(guardSockets(app, new WsAdapter(app))) before it starts,' +
        ' with the adapter that you use.',
    );
  }
}
