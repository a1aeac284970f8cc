import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { AuthGuardModule } from '@signet/auth-guard';
import { DatabaseModule } from '@signet/database';
import { guardOptions } from '@signet/http';
import type { ServiceOptions } from '@signet/http';
import { fileURLToPath } from 'node:url';
import type { OrdersConfig } from './config.js';
import { OrdersModule } from './orders/orders.module.js';

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url));

/** The orders service: what was bought. */
export function ordersService(config: OrdersConfig): ServiceOptions {
  return {
    name: 'orders',
    title: 'Signet orders',
    description: 'Orders and their way to the customer.',
    module: OrdersServiceModule.forRoot(config),
    config,
  };
}

@Module({})
export class OrdersServiceModule {
  static forRoot(config: OrdersConfig): DynamicModule {
    return {
      module: OrdersServiceModule,
      imports: [
        DatabaseModule.forRoot({
          url: config.DATABASE_URL,
          applicationName: 'orders',
          poolSize: config.DATABASE_POOL_SIZE,
          migrations: MIGRATIONS,
        }),
        AuthGuardModule.forRoot(guardOptions(config)),
        OrdersModule.forRoot(config),
      ],
    };
  }
}
