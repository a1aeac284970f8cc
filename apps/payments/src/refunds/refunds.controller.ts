import { Body, Controller, HttpStatus, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { RequireFresh, Roles } from '@signet/auth-guard';
import { ActingUser, Idempotent, IdempotencyKey } from '@signet/database';
import type { Actor, IdempotentAnswer, IdempotentRequest } from '@signet/database';
import { Returns, uuid } from '@signet/http';
import { newRefund, refund } from '../payments/payment.schema.js';
import type { NewRefund } from '../payments/payment.schema.js';
import { RefundsService } from './refunds.service.js';

@ApiTags('administration')
@Controller('admin/payments')
@Roles('admin')
export class RefundsController {
  constructor(private readonly refunds: RefundsService) {}

  @Post(':id/refunds')
  @ApiOperation({
    summary: 'Pays back what was captured, or a part of it',
    description:
      'The refund may be `pending` or `failed`: see `GET /payments/:id` for what became of it.',
  })
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
