import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { Roles } from '@signet/auth-guard';
import { auditController, AuditModule } from '@signet/database';
import { MetricsModule } from '@signet/http';
import { AttemptRunner } from '../attempts/attempt-runner.js';
import { OutwardEffects } from '../attempts/outward-effect.js';
import { PaymentLedger } from '../attempts/payment-ledger.js';
import { RECONCILE_AFTER, Reconciler } from '../attempts/reconciler.js';
import { AUDIT_ACTIONS } from '../audit-actions.js';
import type { PaymentsConfig } from '../config.js';
import { openProvider } from '../provider/open-provider.js';
import { PAYMENT_PROVIDER } from '../provider/payment-provider.js';
import { ProviderRefunds } from '../refunds/provider-refunds.js';
import { RefundsController } from '../refunds/refunds.controller.js';
import { RefundsService } from '../refunds/refunds.service.js';
import { WebhookMetrics } from '../webhooks/webhook-metrics.js';
import { WebhooksController } from '../webhooks/webhooks.controller.js';
import { WebhooksService } from '../webhooks/webhooks.service.js';
import { ChargingService } from './charging.service.js';
import { InternalPaymentsController } from './internal-payments.controller.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsService } from './payments.service.js';

@Module({})
export class PaymentsModule {
  static forRoot(config: PaymentsConfig): DynamicModule {
    return {
      module: PaymentsModule,
      imports: [AuditModule, MetricsModule],
      controllers: [
        ...[PaymentsController, InternalPaymentsController, RefundsController, WebhooksController],
        auditController(AUDIT_ACTIONS, Roles('admin')),
      ],
      providers: [
        { provide: PAYMENT_PROVIDER, useFactory: () => openProvider(config) },
        { provide: RECONCILE_AFTER, useValue: config.SIGNET_RECONCILE_AFTER_MS },
        ...[AttemptRunner, OutwardEffects, PaymentLedger, Reconciler],
        ...[ChargingService, PaymentsService, ProviderRefunds, RefundsService],
        ...[WebhooksService, WebhookMetrics],
      ],
    };
  }
}
