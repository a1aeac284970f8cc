import { Module } from '@nestjs/common';
import type { DynamicModule, Provider } from '@nestjs/common';
import { AuditModule, JobsModule } from '@signet/database';
import type { QueueOptions } from '@signet/database';
import type { OrdersConfig } from '../config.js';
import { OrderChanges } from '../orders/order-changes.js';
import { ServiceClient } from '../service-calls/service-client.js';
import { INVENTORY_GRANT, ServiceTokens } from '../service-calls/service-tokens.js';
import { CheckoutCalls } from './checkout-calls.js';
import { CHECKOUT_TIMING } from './checkout-timing.js';
import { CheckoutWorker } from './checkout.worker.js';
import { PaymentsClient } from './payments.client.js';
import { RefundWatch } from './refund-watch.js';
import { ReservationsClient } from './reservations.client.js';
import { SagaStore, CHECKOUT_QUEUE } from './saga-store.js';
import { SagaSweeper } from './saga-sweeper.js';

/** A job ends at the latest when each call of a checkout has used up its time. */
const QUEUE: Omit<QueueOptions, 'concurrency'> = {
  retryLimit: 10,
  retryDelay: 1,
  retryDelayMax: 60,
  expireIn: 300,
};

/** The saga from a pending order to a confirmed one, or back. */
@Module({})
export class CheckoutModule {
  static forRoot(config: OrdersConfig): DynamicModule {
    const tokens = serviceTokens(config);
    const queue = { ...QUEUE, concurrency: config.SIGNET_CHECKOUT_CONCURRENCY };
    return {
      module: CheckoutModule,
      imports: [JobsModule.forRoot({ queues: { [CHECKOUT_QUEUE]: queue } }), AuditModule],
      providers: [
        {
          provide: CHECKOUT_TIMING,
          useValue: {
            patienceMs: config.SIGNET_CHECKOUT_PATIENCE_SECONDS * 1000,
            retryMs: config.SIGNET_CHECKOUT_RETRY_SECONDS * 1000,
            stuckMs: config.SIGNET_CHECKOUT_STUCK_SECONDS * 1000,
            refundsEveryMs: config.SIGNET_REFUNDS_EVERY_SECONDS * 1000,
          },
        },
        ...clients(config, tokens),
        { provide: ServiceTokens, useValue: tokens },
        ...[OrderChanges, SagaStore, CheckoutWorker, SagaSweeper, RefundWatch],
      ],
      exports: [OrderChanges, PaymentsClient, SagaStore, ServiceTokens],
    };
  }
}

function serviceTokens(config: OrdersConfig): ServiceTokens {
  return new ServiceTokens({
    issuer: config.SIGNET_ISSUER,
    tokenUrl: config.SIGNET_TOKEN_URL ?? `${config.SIGNET_ISSUER.replace(/\/$/, '')}/oauth/token`,
    clientId: config.SIGNET_ORDERS_CLIENT_ID,
    clientSecret: config.SIGNET_ORDERS_CLIENT_SECRET,
  });
}

function clients(config: OrdersConfig, tokens: ServiceTokens): Provider[] {
  const timeoutMs = config.SIGNET_SERVICE_TIMEOUT_MS;
  const inventory = new ServiceClient(tokens, {
    url: config.SIGNET_INVENTORY_URL,
    grant: INVENTORY_GRANT,
    timeoutMs,
  });
  const paymentsService = new ServiceClient(tokens, {
    url: config.SIGNET_PAYMENTS_URL,
    grant: { audience: 'urn:signet:payments', scope: 'payments:charge' },
    timeoutMs,
  });
  const payments = new PaymentsClient(paymentsService);
  const calls = new CheckoutCalls(new ReservationsClient(inventory), payments);
  return [
    { provide: PaymentsClient, useValue: payments },
    { provide: CheckoutCalls, useValue: calls },
  ];
}
