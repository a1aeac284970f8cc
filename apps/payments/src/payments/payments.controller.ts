import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Authenticated, CurrentUser, isOwnerOr, Roles } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { notFound, pageOf, Returns, uuid } from '@signet/http';
import type { Page } from '@signet/http';
import { adminPaymentQuery, payment, paymentQuery, paymentWithRefunds } from './payment.schema.js';
import type {
  AdminPaymentQuery,
  Payment,
  PaymentQuery,
  PaymentWithRefunds,
} from './payment.schema.js';
import { PaymentsService } from './payments.service.js';

@ApiTags('payments')
@Controller()
export class PaymentsController {
  constructor(private readonly payments: PaymentsService) {}

  @Get('payments')
  @ApiOperation({ summary: "One's own payments, newest first" })
  @Roles('customer')
  @Returns(200, pageOf(payment))
  listOwn(
    @Query({ schema: paymentQuery }) query: PaymentQuery,
    @CurrentUser() user: Principal,
  ): Promise<Page<Payment>> {
    return this.payments.list({ ...query, customerId: user.subject });
  }

  @Get('payments/:id')
  @ApiOperation({
    summary: "One payment with its refunds: the customer's own, or anyone's for support and admin",
  })
  @Authenticated()
  @Returns(200, paymentWithRefunds)
  async read(
    @Param('id', { schema: uuid }) id: string,
    @CurrentUser() user: Principal,
  ): Promise<PaymentWithRefunds> {
    const found = await this.payments.read(id);
    if (!isOwnerOr(user, found.customerId, 'support', 'admin')) throw notFound('payment');
    return found;
  }

  @Get('admin/payments')
  @ApiOperation({ summary: "Everyone's payments, newest first" })
  @Roles('support', 'admin')
  @Returns(200, pageOf(payment))
  list(@Query({ schema: adminPaymentQuery }) query: AdminPaymentQuery): Promise<Page<Payment>> {
    return this.payments.list(query);
  }
}
