import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { AuthGuardModule } from '@signet/auth-guard';
import { DatabaseModule } from '@signet/database';
import { guardOptions } from '@signet/http';
import type { ServiceOptions } from '@signet/http';
import { fileURLToPath } from 'node:url';
import type { PaymentsConfig } from './config.js';
import { PaymentsModule } from './payments/payments.module.js';

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url));

/** The payments service: what was paid. */
export function paymentsService(config: PaymentsConfig): ServiceOptions {
  return {
    name: 'payments',
    title: 'Signet payments',
    description: 'Payments of orders: authorized, captured, voided and refunded.',
    module: PaymentsServiceModule.forRoot(config),
    config,
  };
}

@Module({})
export class PaymentsServiceModule {
  static forRoot(config: PaymentsConfig): DynamicModule {
    return {
      module: PaymentsServiceModule,
      imports: [
        DatabaseModule.forRoot({
          url: config.DATABASE_URL,
          applicationName: 'payments',
          poolSize: config.DATABASE_POOL_SIZE,
          migrations: MIGRATIONS,
        }),
        AuthGuardModule.forRoot(guardOptions(config, 'urn:signet:payments')),
        PaymentsModule.forRoot(config),
      ],
    };
  }
}
