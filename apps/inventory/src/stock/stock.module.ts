import { Module } from '@nestjs/common';
import { AuditModule } from '@signet/database';
import { ProductsModule } from '../products/products.module.js';
import { StockController } from './stock.controller.js';
import { StockLedger } from './stock-ledger.js';
import { StockService } from './stock.service.js';

@Module({
  imports: [AuditModule, ProductsModule],
  controllers: [StockController],
  providers: [StockService, StockLedger],
  exports: [StockLedger],
})
export class StockModule {}
