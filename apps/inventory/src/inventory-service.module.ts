import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { AuthGuardModule } from '@signet/auth-guard';
import { DatabaseModule } from '@signet/database';
import { guardOptions } from '@signet/http';
import type { ServiceOptions } from '@signet/http';
import { fileURLToPath } from 'node:url';
import type { InventoryConfig } from './config.js';
import { ProductsModule } from './products/products.module.js';
import * as schema from './schema.js';
import { StockModule } from './stock/stock.module.js';

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url));

/** The inventory service: what there is. */
export function inventoryService(config: InventoryConfig): ServiceOptions {
  return {
    name: 'inventory',
    title: 'Signet inventory',
    description: 'The catalogue and its stock.',
    module: InventoryServiceModule.forRoot(config),
    config,
  };
}

@Module({})
export class InventoryServiceModule {
  static forRoot(config: InventoryConfig): DynamicModule {
    return {
      module: InventoryServiceModule,
      imports: [
        DatabaseModule.forRoot({
          url: config.DATABASE_URL,
          applicationName: 'inventory',
          poolSize: config.DATABASE_POOL_SIZE,
          schema,
          migrations: MIGRATIONS,
        }),
        AuthGuardModule.forRoot(guardOptions(config, 'urn:signet:inventory')),
        ProductsModule,
        StockModule,
      ],
    };
  }
}
