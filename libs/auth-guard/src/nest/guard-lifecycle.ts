import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { AuthGuardConfigurationError } from '../errors.js';
import type { KeySource } from '../keys/key-source.js';
import { MessageGuard } from './message-guard.js';
import { KEY_SOURCE } from './module-definition.js';
import { RouteTable } from './route-table.js';
import { isGuarded } from './sockets/guard-sockets.js';

/** What happens before the application serves, and when it stops. */
@Injectable()
export class GuardLifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly routes: RouteTable,
    private readonly messages: MessageGuard,
    private readonly config: ApplicationConfig,
    @Inject(KEY_SOURCE) private readonly keys: KeySource,
  ) {}

  /**
   * @throws {UndeclaredAccessError} which keeps the application from starting
   * @throws {AuthGuardConfigurationError} for gateways whose connections nobody authenticates
   */
  async onModuleInit(): Promise<void> {
    this.routes.list();
    this.messages.assertAttached();
    this.assertSocketsGuarded();
    await this.keys.start?.();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.keys.close?.();
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
