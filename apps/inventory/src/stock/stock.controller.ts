import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { RequireFresh, Roles } from '@signet/auth-guard';
import { ActingUser, Idempotent, IdempotencyKey, IdempotencyService } from '@signet/database';
import type { Actor, IdempotentAnswer, IdempotentRequest } from '@signet/database';
import { pageOf, Returns } from '@signet/http';
import type { Page } from '@signet/http';
import { sku } from '../products/product.schema.js';
import { movement, movementQuery, stockChange, stockLevel } from './stock.schema.js';
import type { Movement, MovementQuery, StockChange } from './stock.schema.js';
import { StockService } from './stock.service.js';

@ApiTags('stock')
@Controller('products/:sku')
@Roles('warehouse', 'admin')
export class StockController {
  constructor(
    private readonly stock: StockService,
    private readonly idempotency: IdempotencyService,
  ) {}

  @Post('stock')
  @ApiOperation({
    summary: 'Adds units that arrived, or takes away what was lost',
    description: 'Never below what is reserved.',
  })
  @RequireFresh()
  @Idempotent()
  @Returns(200, stockLevel)
  adjust(
    @IdempotencyKey(200) request: IdempotentRequest,
    @Param('sku', { schema: sku }) id: string,
    @Body({ schema: stockChange }) change: StockChange,
    @ActingUser() actor: Actor,
  ): Promise<IdempotentAnswer> {
    return this.idempotency.run(request, (transaction) =>
      this.stock.adjust(transaction, id, change, actor),
    );
  }

  @Get('movements')
  @ApiOperation({ summary: 'The ledger of one product, newest first' })
  @Returns(200, pageOf(movement))
  movements(
    @Param('sku', { schema: sku }) id: string,
    @Query({ schema: movementQuery }) query: MovementQuery,
  ): Promise<Page<Movement>> {
    return this.stock.movements(id, query);
  }
}
