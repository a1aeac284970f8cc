import { money, pageQuery, plainText } from '@signet/http';
import { z } from 'zod';

/** Named after Stripe's PaymentIntent, which most readers know. */
export const paymentStatus = z.enum(['requires_confirmation']);

export const newPayment = z.strictObject({
  orderId: z.uuid(),
  customerId: plainText(200).meta({ description: '`sub` of the customer who pays' }),
  amount: money.refine(({ amount }) => amount > 0, 'expected more than 0'),
  paymentMethod: plainText(200).meta({ example: 'tok_ok' }),
});

export const payment = z.object({
  id: z.uuid(),
  orderId: z.uuid(),
  customerId: z.string(),
  amount: money,
  status: paymentStatus,
  createdAt: z.iso.datetime(),
});

export const paymentQuery = z.strictObject({
  ...pageQuery,
  orderId: z.uuid().optional(),
  customerId: plainText(200).optional(),
});

export type PaymentStatus = z.infer<typeof paymentStatus>;
export type NewPayment = z.infer<typeof newPayment>;
export type Payment = z.infer<typeof payment>;
export type PaymentQuery = z.infer<typeof paymentQuery>;
