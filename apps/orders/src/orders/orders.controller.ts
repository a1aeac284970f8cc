import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentUser, Roles } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { Idempotent, IdempotencyKey, IdempotencyService } from '@signet/database';
import type { IdempotentAnswer, IdempotentRequest } from '@signet/database';
import { pageOf, Returns } from '@signet/http';
import type { Page } from '@signet/http';
import { z } from 'zod';
import { newOrder, order, orderQuery } from './order.schema.js';
import type { NewOrder, Order, OrderQuery } from './order.schema.js';
import { OrdersService } from './orders.service.js';

/** A customer's own orders. Another customer's do not exist here: 404. */
@ApiTags('orders')
@Controller('orders')
@Roles('customer')
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly idempotency: IdempotencyService,
  ) {}

  /** Places an order at the catalogue's prices. It is `pending` until the checkout has run. */
  @Post()
  @Idempotent()
  @Returns(202, order)
  place(
    @IdempotencyKey(202) request: IdempotentRequest,
    @Body({ schema: newOrder }) body: NewOrder,
    @CurrentUser() user: Principal,
  ): Promise<IdempotentAnswer> {
    return this.idempotency.run(
      request,
      (transaction, quote) =>
        this.orders.place(transaction, user.subject, body.paymentMethod, quote),
      () => this.orders.quote(body),
    );
  }

  /** One's own orders, newest first. */
  @Get()
  @Returns(200, pageOf(order))
  list(
    @Query({ schema: orderQuery }) query: OrderQuery,
    @CurrentUser() user: Principal,
  ): Promise<Page<Order>> {
    return this.orders.list({ ...query, customerId: user.subject });
  }

  @Get(':id')
  @Returns(200, order)
  read(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentUser() user: Principal,
  ): Promise<Order> {
    return this.orders.read(id, user.subject);
  }

  /** Cancels an order that has not left the warehouse. */
  @Post(':id/cancel')
  @Idempotent()
  @Returns(200, order)
  cancel(
    @IdempotencyKey(200) request: IdempotentRequest,
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentUser() user: Principal,
  ): Promise<IdempotentAnswer> {
    return this.idempotency.run(request, (transaction) =>
      this.orders.move(transaction, id, 'cancelled', {
        customerId: user.subject,
        reason: 'cancelled by the customer',
      }),
    );
  }
}
