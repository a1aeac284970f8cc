import { Module } from '@nestjs/common';
import { InternalPaymentsController } from './internal-payments.controller.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsService } from './payments.service.js';

@Module({
  controllers: [PaymentsController, InternalPaymentsController],
  providers: [PaymentsService],
})
export class PaymentsModule {}
