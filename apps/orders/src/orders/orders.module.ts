import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { Roles } from '@signet/auth-guard';
import { auditController, AuditModule } from '@signet/database';
import { CheckoutModule } from '../checkout/checkout.module.js';
import type { OrdersConfig } from '../config.js';
import { ServiceTokens } from '../service-calls/service-tokens.js';
import { AdminOrdersController } from './admin-orders.controller.js';
import { CatalogueClient } from './catalogue.client.js';
import { ORDER_LIMITS } from './order-limits.js';
import type { OrderLimits } from './order-limits.js';
import { OrderActionsService } from './order-actions.service.js';
import { ORDER_ACTIONS } from './order-audit.js';
import { OrderStream } from './order-stream.js';
import { OrderWatch } from './order-watch.js';
import { OrdersController } from './orders.controller.js';
import { OrdersService } from './orders.service.js';

@Module({})
export class OrdersModule {
  static forRoot(config: OrdersConfig): DynamicModule {
    return {
      module: OrdersModule,
      imports: [CheckoutModule.forRoot(config), AuditModule],
      controllers: [
        OrdersController,
        AdminOrdersController,
        auditController(ORDER_ACTIONS, Roles('admin')),
      ],
      providers: [
        ...[OrdersService, OrderActionsService, OrderStream, OrderWatch],
        { provide: ORDER_LIMITS, useValue: limitsOf(config) },
        {
          provide: CatalogueClient,
          inject: [ServiceTokens],
          useFactory: (tokens: ServiceTokens) =>
            new CatalogueClient(config.SIGNET_INVENTORY_URL, tokens),
        },
      ],
    };
  }
}

function limitsOf(config: OrdersConfig): OrderLimits {
  return {
    openPerCustomer: config.SIGNET_CHECKOUT_OPEN_PER_CUSTOMER,
    streams: config.SIGNET_ORDER_STREAMS,
  };
}
