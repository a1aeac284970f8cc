import { applyDecorators, Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentUser, RequireFresh, Roles } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { ActingUser, Idempotent, IdempotencyKey, IdempotencyService } from '@signet/database';
import type { Actor, IdempotentAnswer, IdempotentRequest } from '@signet/database';
import { IfMatch, pageOf, Returns, uuid, Versioned } from '@signet/http';
import type { Page, VersionedAnswer, VersionList } from '@signet/http';
import { z } from 'zod';
import { OrderActionsService } from './order-actions.service.js';
import {
  adminOrder,
  adminOrderQuery,
  refundRequest,
  resumedOrders,
  resumeRequest,
  settlement,
} from './order.schema.js';
import type {
  AdminOrder,
  AdminOrderQuery,
  RefundRequest,
  ResumeRequest,
  Settlement,
} from './order.schema.js';
import { representing } from './orders.controller.js';
import { OrdersService } from './orders.service.js';

/** Everyone's orders. Every action takes an If-Match with the ETag that the order was read with. */
@ApiTags('admin')
@Controller('admin/orders')
export class AdminOrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly actions: OrderActionsService,
    private readonly idempotency: IdempotencyService,
  ) {}

  @Get()
  @ApiOperation({ summary: "Everyone's orders, newest first" })
  @Roles('support', 'admin')
  @Returns(200, pageOf(adminOrder))
  list(@Query({ schema: adminOrderQuery }) query: AdminOrderQuery): Promise<Page<AdminOrder>> {
    return this.orders.list(query);
  }

  @Get(':id')
  @Roles('support', 'admin')
  @Versioned()
  @Returns(200, adminOrder)
  read(@Param('id', { schema: uuid }) id: string): Promise<VersionedAnswer<AdminOrder>> {
    return this.orders.readVersion(id, undefined);
  }

  @Post(':id/cancel')
  @ApiOperation({
    summary: 'Cancels an order that has not been shipped; money and stock are given back',
  })
  @AdminAction(200)
  cancel(
    @IdempotencyKey(200) request: IdempotentRequest,
    @Param('id', { schema: uuid }) id: string,
    @CurrentUser() user: Principal,
    @ActingUser() actor: Actor,
    @IfMatch() ifMatch: VersionList | undefined,
  ): Promise<IdempotentAnswer> {
    const wanted = { id, actor, user: representing(user), ifMatch };
    const from = ['pending', 'confirmed', 'needs_attention'] as const;
    return this.idempotency.run(request, (transaction) =>
      this.actions.cancel(transaction, wanted, from, 'cancelled by an administrator'),
    );
  }

  @Post(':id/ship')
  @ApiOperation({
    summary: 'Marks a confirmed order as handed to the carrier',
    description: 'Not one whose payment has been refunded: 409 `payment_refunded`.',
  })
  @AdminAction(200)
  ship(
    @IdempotencyKey(200) request: IdempotentRequest,
    @Param('id', { schema: uuid }) id: string,
    @CurrentUser() user: Principal,
    @ActingUser() actor: Actor,
    @IfMatch() ifMatch: VersionList | undefined,
  ): Promise<IdempotentAnswer> {
    const wanted = { id, actor, user: representing(user), ifMatch };
    return this.idempotency.run(
      request,
      (transaction) => this.actions.ship(transaction, wanted),
      () => this.actions.assertPaid(wanted),
    );
  }

  @Post(':id/refund')
  @ApiOperation({
    summary: 'Has everything paid back',
    description:
      'The order is `refunded` as soon as the money is. Its reason is shown to the customer as the reason of the order.',
  })
  @AdminAction(202)
  refund(
    @IdempotencyKey(202) request: IdempotentRequest,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: refundRequest }) { reason }: RefundRequest,
    @CurrentUser() user: Principal,
    @ActingUser() actor: Actor,
    @IfMatch() ifMatch: VersionList | undefined,
  ): Promise<IdempotentAnswer> {
    const wanted = { id, actor, user: representing(user), ifMatch };
    return this.idempotency.run(request, (transaction) =>
      this.actions.refund(transaction, wanted, reason),
    );
  }

  @Post(':id/settle')
  @ApiOperation({
    summary: 'Ends an order whose refund failed, and whose money was given back by other means',
    description: 'Nothing is paid by this. What is said here is kept in the audit log.',
  })
  @AdminAction(202)
  settle(
    @IdempotencyKey(202) request: IdempotentRequest,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: settlement }) { reason }: Settlement,
    @CurrentUser() user: Principal,
    @ActingUser() actor: Actor,
    @IfMatch() ifMatch: VersionList | undefined,
  ): Promise<IdempotentAnswer> {
    const wanted = { id, actor, user: representing(user), ifMatch };
    return this.idempotency.run(request, (transaction) =>
      this.actions.settle(transaction, wanted, reason),
    );
  }

  @Post('resume')
  @ApiOperation({
    summary: 'Lets the orders go on that have stopped for one reason, the 100 oldest of them',
    description: 'Repeat it, with another key, until none are resumed.',
  })
  @AdminAction(202, resumedOrders)
  resumeAll(
    @IdempotencyKey(202) request: IdempotentRequest,
    @Body({ schema: resumeRequest }) { reason }: ResumeRequest,
    @CurrentUser() user: Principal,
    @ActingUser() actor: Actor,
  ): Promise<IdempotentAnswer> {
    const wanted = { reason, actor, user: representing(user) };
    return this.idempotency.run(request, (transaction) =>
      this.actions.resumeAll(transaction, wanted),
    );
  }

  @Post(':id/resume')
  @ApiOperation({ summary: 'Lets an order that needs attention go on from where it stopped' })
  @AdminAction(202)
  resume(
    @IdempotencyKey(202) request: IdempotentRequest,
    @Param('id', { schema: uuid }) id: string,
    @CurrentUser() user: Principal,
    @ActingUser() actor: Actor,
    @IfMatch() ifMatch: VersionList | undefined,
  ): Promise<IdempotentAnswer> {
    const wanted = { id, actor, user: representing(user), ifMatch };
    return this.idempotency.run(request, (transaction) => this.actions.resume(transaction, wanted));
  }
}

/** What an administrator does to orders: once for each key, by rights that are known to be theirs still. */
function AdminAction(status: number, answer: z.ZodType = adminOrder): MethodDecorator {
  return applyDecorators(Roles('admin'), RequireFresh(), Idempotent(), Returns(status, answer));
}
