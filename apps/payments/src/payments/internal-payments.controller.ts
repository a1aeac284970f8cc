import { Body, Controller, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Authenticated, RequireFresh, Scopes } from '@signet/auth-guard';
import { Idempotent, IdempotencyKey, IdempotencyService } from '@signet/database';
import type { IdempotentAnswer, IdempotentRequest } from '@signet/database';
import { Returns } from '@signet/http';
import { newPayment, payment } from './payment.schema.js';
import type { NewPayment } from './payment.schema.js';
import { PaymentsService } from './payments.service.js';

/** What other services may ask of payments, with a token of their own. */
@ApiTags('internal')
@Controller('internal/payments')
@Authenticated('service')
@Scopes('payments:charge')
export class InternalPaymentsController {
  constructor(
    private readonly payments: PaymentsService,
    private readonly idempotency: IdempotencyService,
  ) {}

  /** Records what a customer is to pay for an order. */
  @Post()
  @RequireFresh()
  @Idempotent()
  @Returns(201, payment)
  record(
    @IdempotencyKey(201) request: IdempotentRequest,
    @Body({ schema: newPayment }) body: NewPayment,
  ): Promise<IdempotentAnswer> {
    return this.idempotency.run(request, (transaction) => this.payments.record(transaction, body));
  }
}
