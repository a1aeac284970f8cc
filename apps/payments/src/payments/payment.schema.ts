import { money, pageQuery, paymentMethod, plainText, uuid } from '@signet/http';
import { z } from 'zod';
import { PAYMENT_STATUSES } from './payment-states.js';

/** Named after Stripe's PaymentIntent, which most readers know. */
export const paymentStatus = z.enum(PAYMENT_STATUSES).meta({
  description:
    '`processing`: the provider has been asked and its answer is not known yet; ' +
    '`requires_capture`: authorized; `succeeded`: captured; `canceled`: voided; `failed`: declined',
});

export const somethingToPay = money.refine(({ amount }) => amount > 0, 'expected more than 0');

export const newPayment = z.strictObject({
  orderId: uuid,
  customerId: plainText(200).meta({ description: '`sub` of the customer who pays' }),
  amount: somethingToPay,
  paymentMethod,
});

export const captureRequest = z.strictObject({
  amount: somethingToPay.optional().describe('all of it when absent; what is left over is let go'),
});

export const refundStatus = z.enum(['pending', 'succeeded', 'failed']);

export const refund = z.object({
  id: z.uuid(),
  paymentId: z.uuid(),
  amount: money,
  status: refundStatus,
  reason: z.string().describe('why it was asked for'),
  failure: z.string().optional().describe('the provider’s code when it failed'),
  createdAt: z.iso.datetime(),
});

export const payment = z.object({
  id: z.uuid(),
  orderId: z.uuid(),
  customerId: z.string(),
  amount: money.describe('what is to be paid'),
  status: paymentStatus,
  capturedAmount: money,
  refundedAmount: money.describe('what has been paid back; pending refunds are not in it'),
  reason: z
    .string()
    .optional()
    .describe('the provider’s code of a decline, such as `card_declined`'),
  createdAt: z.iso.datetime(),
});

export const paymentWithRefunds = payment.extend({ refunds: z.array(refund) });

export const newRefund = z.strictObject({
  amount: somethingToPay.optional().describe('all that is left to refund when absent'),
  reason: plainText(500),
});

export const paymentQuery = z.strictObject({
  ...pageQuery,
  orderId: uuid.optional(),
  status: paymentStatus.optional(),
});

export const adminPaymentQuery = paymentQuery.extend({ customerId: plainText(200).optional() });

export const paymentOfOrder = z.strictObject({ orderId: uuid });

export const changedRefunds = paymentWithRefunds.extend({
  refundsChangedAt: z.iso.datetime().describe('when a refund last succeeded or failed'),
});

/** PostgreSQL has no year 0000. */
const moment = z.iso.datetime().regex(/^(19[7-9]|[2-9]\d\d)\d/, 'expected a year from 1970 on');

export const refundChangesQuery = z.strictObject({
  ...pageQuery,
  since: moment.describe('changed then or later'),
});

/** Where a page of changes begins. */
export const changePosition = z.tuple([moment, z.uuid()]);

export type NewPayment = z.infer<typeof newPayment>;
export type CaptureRequest = z.infer<typeof captureRequest>;
export type NewRefund = z.infer<typeof newRefund>;
export type Payment = z.infer<typeof payment>;
export type PaymentWithRefunds = z.infer<typeof paymentWithRefunds>;
export type Refund = z.infer<typeof refund>;
export type ChangedRefunds = z.infer<typeof changedRefunds>;
export type RefundChangesQuery = z.infer<typeof refundChangesQuery>;
export type PaymentQuery = z.infer<typeof paymentQuery>;
export type AdminPaymentQuery = z.infer<typeof adminPaymentQuery>;
