import { Body, Controller, Get, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated, RequireFresh, Scopes } from '@signet/auth-guard';
import { ActingUser, Idempotent, IdempotencyKey } from '@signet/database';
import type { Actor, IdempotentAnswer, IdempotentRequest } from '@signet/database';
import { pageOf, Returns, uuid } from '@signet/http';
import type { Page } from '@signet/http';
import { z } from 'zod';
import { RefundsService } from '../refunds/refunds.service.js';
import { ChargingService } from './charging.service.js';
import {
  captureRequest,
  changedRefunds,
  newPayment,
  newRefund,
  paymentOfOrder,
  paymentWithRefunds,
  refund,
  refundChangesQuery,
} from './payment.schema.js';
import type {
  CaptureRequest,
  ChangedRefunds,
  NewPayment,
  NewRefund,
  PaymentWithRefunds,
  RefundChangesQuery,
} from './payment.schema.js';
import { PaymentsService } from './payments.service.js';

/** What other services may ask of payments, with a token of their own. */
@ApiTags('internal')
@Controller('internal/payments')
@Authenticated('service')
@Scopes('payments:charge')
export class InternalPaymentsController {
  constructor(
    private readonly payments: PaymentsService,
    private readonly charging: ChargingService,
    private readonly refunds: RefundsService,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Authorizes the payment of an order',
    description: 'A decline is an answer too: its status is `failed`.',
  })
  @RequireFresh()
  @Idempotent()
  @Returns(HttpStatus.CREATED, paymentWithRefunds)
  authorize(
    @IdempotencyKey(HttpStatus.CREATED) request: IdempotentRequest,
    @Body({ schema: newPayment }) body: NewPayment,
  ): Promise<IdempotentAnswer> {
    return this.charging.authorize(request, body);
  }

  @Get()
  @ApiOperation({ summary: 'The payment of an order' })
  @ApiResponse({ status: HttpStatus.NOT_FOUND, description: 'The order has no payment' })
  @Returns(HttpStatus.OK, paymentWithRefunds)
  ofOrder(
    @Query({ schema: paymentOfOrder }) { orderId }: z.infer<typeof paymentOfOrder>,
  ): Promise<PaymentWithRefunds> {
    return this.payments.ofOrder(orderId);
  }

  @Get('refund-changes')
  @ApiOperation({
    summary: 'Payments of which a refund has succeeded or failed, the latest change last',
    description:
      'Also refunds that administrators made here, and those that a bank sent back after they had succeeded. ' +
      'Ask from a little before the last answer on: changes become visible out of order.',
  })
  @Returns(HttpStatus.OK, pageOf(changedRefunds))
  refundChanges(
    @Query({ schema: refundChangesQuery }) query: RefundChangesQuery,
  ): Promise<Page<ChangedRefunds>> {
    return this.payments.refundChanges(query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'What to ask again while a payment is `processing`' })
  @Returns(HttpStatus.OK, paymentWithRefunds)
  read(@Param('id', { schema: uuid }) id: string): Promise<PaymentWithRefunds> {
    return this.payments.read(id);
  }

  @Post(':id/capture')
  @ApiOperation({
    summary: 'Takes what was authorized, or a part of it',
    description:
      'When the provider refuses, the status stays `requires_capture`, or is `canceled` when the authorization has lapsed.',
  })
  @RequireFresh()
  @Idempotent()
  @Returns(HttpStatus.OK, paymentWithRefunds)
  capture(
    @IdempotencyKey(HttpStatus.OK) request: IdempotentRequest,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: captureRequest.optional() }) body?: CaptureRequest,
  ): Promise<IdempotentAnswer> {
    return this.charging.capture(request, id, body?.amount);
  }

  @Post(':id/void')
  @ApiOperation({ summary: 'Lets go of what was authorized' })
  @RequireFresh()
  @Idempotent()
  @Returns(HttpStatus.OK, paymentWithRefunds)
  void(
    @IdempotencyKey(HttpStatus.OK) request: IdempotentRequest,
    @Param('id', { schema: uuid }) id: string,
  ): Promise<IdempotentAnswer> {
    return this.charging.void(request, id);
  }

  @Post(':id/refunds')
  @ApiOperation({ summary: 'Pays back what was captured, or a part of it' })
  @RequireFresh()
  @Idempotent()
  @Returns(HttpStatus.CREATED, refund)
  refund(
    @IdempotencyKey(HttpStatus.CREATED) request: IdempotentRequest,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: newRefund }) body: NewRefund,
    @ActingUser() actor: Actor,
  ): Promise<IdempotentAnswer> {
    return this.refunds.refund(request, id, body, actor);
  }
}
