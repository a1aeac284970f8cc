import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, RequireFresh, Roles } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { ActingUser, Idempotent, IdempotencyKey, IdempotencyService } from '@signet/database';
import type { Actor, IdempotentAnswer, IdempotentRequest } from '@signet/database';
import { pageOf, Returns, uuid } from '@signet/http';
import type { Page, RepresentedUser } from '@signet/http';
import type { FastifyReply } from 'fastify';
import { OrderActionsService } from './order-actions.service.js';
import { OrderStream } from './order-stream.js';
import { newOrder, order, orderQuery, toCustomer } from './order.schema.js';
import type { NewOrder, Order, OrderQuery } from './order.schema.js';
import { OrdersService } from './orders.service.js';

/** A customer's own orders. Another customer's do not exist here: 404. */
@ApiTags('orders')
@Controller('orders')
@Roles('customer')
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly actions: OrderActionsService,
    private readonly stream: OrderStream,
    private readonly idempotency: IdempotencyService,
  ) {}

  @Post()
  @ApiOperation({
    summary: "Places an order at the catalogue's prices",
    description: 'It is `pending` until the checkout has run.',
  })
  @ApiResponse({
    status: 429,
    description:
      'Too many requests, or, as `too_many_open_orders`, too many orders whose checkout is not over ' +
      '(`SIGNET_CHECKOUT_OPEN_PER_CUSTOMER`, 20)',
    headers: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } },
  })
  @RequireFresh()
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
        this.orders.place(transaction, representing(user), body.paymentMethod, quote),
      () => this.orders.quote(body),
    );
  }

  @Get()
  @ApiOperation({ summary: "One's own orders, newest first" })
  @Returns(200, pageOf(order))
  async list(
    @Query({ schema: orderQuery }) query: OrderQuery,
    @CurrentUser() user: Principal,
  ): Promise<Page<Order>> {
    const page = await this.orders.list({ ...query, customerId: user.subject });
    return { ...page, items: page.items.map(toCustomer) };
  }

  @Get(':id')
  @Returns(200, order)
  async read(
    @Param('id', { schema: uuid }) id: string,
    @CurrentUser() user: Principal,
  ): Promise<Order> {
    return toCustomer(await this.orders.read(id, user.subject));
  }

  @Get(':id/events')
  @ApiOperation({
    summary:
      'The order as server-sent events: `order` with what it is now and after each change, `end` when nothing more will come',
    description:
      'The `code` of `end` is `final` when the order has come to an end and nothing is left to be done for it. ' +
      'With any other, the token is over: open the stream again with a new one.',
  })
  @ApiOkResponse({ content: { 'text/event-stream': { schema: { type: 'string' } } } })
  follow(
    @Param('id', { schema: uuid }) id: string,
    @CurrentUser() user: Principal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.stream.follow(id, user, reply);
  }

  @Post(':id/cancel')
  @ApiOperation({
    summary: 'Cancels an order that is not confirmed yet',
    description: 'What was taken for it is given back.',
  })
  @RequireFresh()
  @Idempotent()
  @Returns(200, order)
  cancel(
    @IdempotencyKey(200) request: IdempotentRequest,
    @Param('id', { schema: uuid }) id: string,
    @CurrentUser() user: Principal,
    @ActingUser() actor: Actor,
  ): Promise<IdempotentAnswer> {
    const wanted = { id, actor, user: representing(user), customerId: user.subject };
    return this.idempotency.run(request, (transaction) =>
      this.actions.cancel(transaction, wanted, ['pending'], 'cancelled by the customer'),
    );
  }
}

/** As the other services are told for whom they are asked. Never the token. */
export function representing({ subject, roles }: Principal): RepresentedUser {
  return { sub: subject, roles: [...roles] };
}
