import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { AdminOrdersController } from './admin-orders.controller.js';
import { CatalogueClient } from './catalogue.client.js';
import { OrdersController } from './orders.controller.js';
import { OrdersService } from './orders.service.js';

@Module({})
export class OrdersModule {
  static forRoot({ inventoryUrl }: { inventoryUrl: string }): DynamicModule {
    return {
      module: OrdersModule,
      controllers: [OrdersController, AdminOrdersController],
      providers: [
        OrdersService,
        { provide: CatalogueClient, useValue: new CatalogueClient(inventoryUrl) },
      ],
    };
  }
}
