import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { Jobs } from './jobs.js';
import { Notifications } from './notifications.js';
import { JOBS_OPTIONS } from './options.js';
import type { JobsOptions } from './options.js';

/**
 * Durable jobs in the service's own database.
 *
 * @example
 * JobsModule.forRoot({
 *   queues: {
 *     checkout: { concurrency: 8, retryLimit: 5, retryDelay: 1, retryDelayMax: 60, expireIn: 120 },
 *   },
 * });
 * // in a provider's onModuleInit
 * jobs.work<{ orderId: string }>('checkout', ({ orderId }) => this.proceed(orderId));
 * // in a transaction
 * await jobs.send(transaction, 'checkout', { orderId });
 */
@Module({})
export class JobsModule {
  static forRoot(options: JobsOptions): DynamicModule {
    return {
      module: JobsModule,
      global: true,
      providers: [{ provide: JOBS_OPTIONS, useValue: options }, Notifications, Jobs],
      exports: [Jobs, Notifications],
    };
  }
}
