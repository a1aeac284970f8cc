import type Stripe from 'stripe';
import { z } from 'zod';
import type { ProviderEvent, ProviderPayment, ProviderRefund } from './payment-provider.js';

/** Names of our ids in the metadata of Stripe's objects. */
export const PAYMENT_ID = 'signet_payment';
export const REFUND_ID = 'signet_refund';

/** As much of an event as is relied on here; the rest of its shape is Stripe's promise. */
const eventShape = z.looseObject({
  id: z.string(),
  type: z.string(),
  data: z.looseObject({
    object: z
      .looseObject({
        object: z.string().optional(),
        metadata: z.record(z.string(), z.string()).nullish(),
      })
      .refine(({ object, metadata }) => object !== 'payment_intent' || metadata),
  }),
});

export const stripeEvent = z.custom<Stripe.Event>((told) => eventShape.safeParse(told).success);

export function paymentOf(intent: Stripe.PaymentIntent): ProviderPayment {
  const { id, amount_received: received, last_payment_error: error } = intent;
  return {
    ...{ id, status: statusOf(intent), capturedAmount: received },
    ...(error && { reason: error.decline_code ?? error.code ?? 'card_declined' }),
  };
}

function statusOf({ status, last_payment_error }: Stripe.PaymentIntent): ProviderPayment['status'] {
  switch (status) {
    case 'requires_capture':
      return 'authorized';
    case 'succeeded':
      return 'captured';
    case 'canceled':
      return 'canceled';
    case 'requires_payment_method':
      // Without an error it has only been created yet.
      return last_payment_error ? 'declined' : 'processing';
    default:
      return 'processing';
  }
}

export function refundOf({ id, status, failure_reason }: Stripe.Refund): ProviderRefund {
  switch (status) {
    case 'succeeded':
      return { id, status };
    case 'failed':
    case 'canceled':
      return { id, status: 'failed', reason: failure_reason ?? status };
    default:
      return { id, status: 'pending' };
  }
}

/** What an event says about a payment or a refund; undefined when it is about something else. */
export function eventOf(event: Stripe.Event): ProviderEvent | undefined {
  const { id, type } = event;
  const { object } = event.data;
  if (!('object' in object)) return undefined;
  if (object.object === 'payment_intent') {
    const { metadata } = object;
    return {
      ...{ id, type, paymentId: metadata[PAYMENT_ID], payment: object.id },
      news: paymentOf(object),
    };
  }
  if (object.object !== 'refund') return undefined;
  const { metadata, payment_intent: intent, amount } = object;
  return {
    ...{ id, type, paymentId: metadata?.[PAYMENT_ID] },
    payment: typeof intent === 'string' ? intent : intent?.id,
    refund: { ...refundOf(object), amount, refundId: metadata?.[REFUND_ID] },
  };
}
