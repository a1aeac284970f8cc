import { plainText } from '@signet/http';
import { z } from 'zod';
import { UnreadableWebhook } from '../provider/payment-provider.js';
import type { ProviderEvent } from '../provider/payment-provider.js';

/** What goes into rows as it is: no NUL, which PostgreSQL cannot hold, and not of any length. */
const name = plainText(255);
const reason = plainText(500).optional();

/** A `ProviderPayment`. */
export const paymentNews = z.object({
  id: name,
  status: z.enum(['processing', 'authorized', 'captured', 'canceled', 'declined']),
  capturedAmount: z.int().min(0),
  reason,
});

/** A `ProviderRefund` with its amount. */
export const refundNews = z.object({
  id: name,
  amount: z.int().positive(),
  status: z.enum(['pending', 'succeeded', 'failed']),
  reason,
});

const event: z.ZodType<ProviderEvent> = z.object({
  id: name,
  type: name,
  paymentId: name.optional(),
  payment: name.optional(),
  news: paymentNews.optional(),
  refund: refundNews.extend({ refundId: name.optional() }).optional(),
});

/**
 * Reads an event whose signature has been verified. A provider repeats what is not taken, and what is
 * not an event will never be one.
 *
 * @throws {UnreadableWebhook}
 */
export function readSigned<Shape extends z.ZodType>(
  body: Buffer,
  shape: Shape,
  understand: (told: z.infer<Shape>) => ProviderEvent | undefined,
): ProviderEvent | undefined {
  const told = shape.safeParse(json(body));
  if (!told.success) throw new UnreadableWebhook(z.prettifyError(told.error));
  const understood = event.optional().safeParse(understand(told.data));
  if (!understood.success) throw new UnreadableWebhook(z.prettifyError(understood.error));
  return understood.data;
}

function json(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new UnreadableWebhook('It is not JSON.');
  }
}
