import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { AuthGuardModule, Roles } from '@signet/auth-guard';
import { auditController, AuditModule, DatabaseModule } from '@signet/database';
import { guardOptions } from '@signet/http';
import type { ServiceOptions } from '@signet/http';
import { fileURLToPath } from 'node:url';
import { AUDIT_ACTIONS } from './audit/audit-actions.js';
import { INVENTORY_CONFIG } from './config.js';
import type { InventoryConfig } from './config.js';
import { ProductsModule } from './products/products.module.js';
import { ReservationsModule } from './reservations/reservations.module.js';
import { StockModule } from './stock/stock.module.js';

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url));

/** The inventory service: what there is. */
export function inventoryService(config: InventoryConfig): ServiceOptions {
  return {
    name: 'inventory',
    title: 'Signet inventory',
    description: 'The catalogue, its stock and what orders hold of it.',
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
          migrations: MIGRATIONS,
        }),
        AuthGuardModule.forRoot(guardOptions(config, 'urn:signet:inventory')),
        ConfigModule.forRoot(config),
        ProductsModule,
        StockModule,
        ReservationsModule,
        AuditModule,
      ],
      controllers: [auditController(AUDIT_ACTIONS, Roles('admin'))],
    };
  }
}

/** Hands the configuration to whoever injects `INVENTORY_CONFIG`. */
@Module({})
class ConfigModule {
  static forRoot(config: InventoryConfig): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [{ provide: INVENTORY_CONFIG, useValue: config }],
      exports: [INVENTORY_CONFIG],
    };
  }
}
