import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { RequireFresh, Roles } from '@signet/auth-guard';
import { Idempotent, IdempotencyKey, IdempotencyService } from '@signet/database';
import type { IdempotentAnswer, IdempotentRequest } from '@signet/database';
import { pageOf, Returns } from '@signet/http';
import type { Page } from '@signet/http';
import { z } from 'zod';
import { adminOrder, adminOrderQuery } from './order.schema.js';
import type { AdminOrder, AdminOrderQuery } from './order.schema.js';
import { OrdersService } from './orders.service.js';

@ApiTags('admin')
@Controller('admin/orders')
export class AdminOrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly idempotency: IdempotencyService,
  ) {}

  /** Everyone's orders, newest first. */
  @Get()
  @Roles('support', 'admin')
  @Returns(200, pageOf(adminOrder))
  list(@Query({ schema: adminOrderQuery }) query: AdminOrderQuery): Promise<Page<AdminOrder>> {
    return this.orders.list(query);
  }

  @Get(':id')
  @Roles('support', 'admin')
  @Returns(200, adminOrder)
  read(@Param('id', { schema: z.uuid() }) id: string): Promise<AdminOrder> {
    return this.orders.read(id, undefined);
  }

  @Post(':id/cancel')
  @Roles('admin')
  @RequireFresh()
  @Idempotent()
  @Returns(200, adminOrder)
  cancel(
    @IdempotencyKey(200) request: IdempotentRequest,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<IdempotentAnswer> {
    return this.idempotency.run(request, (transaction) =>
      this.orders.move(transaction, id, 'cancelled', { reason: 'cancelled by an administrator' }),
    );
  }

  /** Marks a confirmed order as handed to the carrier. */
  @Post(':id/ship')
  @Roles('admin')
  @RequireFresh()
  @Idempotent()
  @Returns(200, adminOrder)
  ship(
    @IdempotencyKey(200) request: IdempotentRequest,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<IdempotentAnswer> {
    return this.idempotency.run(request, (transaction) =>
      this.orders.move(transaction, id, 'shipped'),
    );
  }
}
