import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { KeySource } from '../keys/key-source.js';
import { KEY_SOURCE } from './module-definition.js';
import { RouteTable } from './route-table.js';

/** What happens before the application serves, and when it stops. */
@Injectable()
export class GuardLifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly routes: RouteTable,
    @Inject(KEY_SOURCE) private readonly keys: KeySource,
  ) {}

  /** @throws {UndeclaredAccessError} which keeps the application from starting */
  async onModuleInit(): Promise<void> {
    this.routes.list();
    await this.keys.start?.();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.keys.close?.();
  }
}
