import { money, pageQuery, paymentMethod, plainText } from '@signet/http';
import { z } from 'zod';
import { ORDER_STATUSES } from './order-states.js';

const orderItem = z.strictObject({
  sku: z
    .string()
    .regex(/^[A-Z0-9][A-Z0-9._-]{0,63}$/, 'expected up to 64 capitals, digits, dots, dashes')
    .meta({ example: 'MUG-STONE-01' }),
  quantity: z.int().min(1).max(1000).meta({ example: 2 }),
});

export const newOrder = z.strictObject({
  items: z
    .array(orderItem)
    .min(1)
    .max(50)
    .refine(
      (items) => new Set(items.map(({ sku }) => sku)).size === items.length,
      'expected each SKU once',
    ),
  paymentMethod,
});

export const order = z.object({
  id: z.uuid(),
  status: z.enum(ORDER_STATUSES),
  items: z.array(
    z.object({ sku: z.string(), name: z.string(), quantity: z.int(), unitPrice: money }),
  ),
  total: money,
  createdAt: z.iso.datetime(),
  reason: z
    .string()
    .optional()
    .describe(
      'why it stands where it stands. The reason that an administrator gives for a refund is shown here, ' +
        'to the customer too; what exactly went wrong with one that needs attention is not',
    ),
  paymentId: z
    .uuid()
    .optional()
    .describe('its payment, at `GET /payments/{id}` of payments, once there is one'),
});

/** What support and admin see besides. */
export const adminOrder = order.extend({ customerId: z.string() });

/** What went wrong between services is not for customers, who could do nothing about it. */
const LOOKED_INTO = 'something went wrong, and we are looking into it';

/** The order as its customer sees it. */
export function toCustomer(seen: AdminOrder): Order {
  const own = order.parse(seen);
  return own.status === 'needs_attention' ? { ...own, reason: LOOKED_INTO } : own;
}

/** Years beyond it have other forms in JavaScript and in PostgreSQL. */
const END = Date.UTC(10_000, 0);

const moment = z.iso.datetime({ offset: true }).refine((text) => {
  const time = Date.parse(text);
  return time >= 0 && time < END;
}, 'expected a year from 1970 to 9999');

export const orderQuery = z.strictObject({
  ...pageQuery,
  status: z.enum(ORDER_STATUSES).optional(),
  from: moment.optional().describe('placed then or later'),
  to: moment.optional().describe('placed before'),
});

export const adminOrderQuery = orderQuery.extend({ customerId: plainText(200).optional() });

export const refundRequest = z.strictObject({
  reason: plainText(500).meta({ example: 'arrived broken', description: 'the customer sees it' }),
});

export const settlement = z.strictObject({
  reason: plainText(500).meta({
    example: 'paid back by bank transfer, number 4711',
    description: 'how it was settled, for the audit log',
  }),
});

export const resumeRequest = z.strictObject({
  reason: plainText(500).meta({
    example: 'authorizing the payment took too long',
    description: 'how the reason of the orders begins',
  }),
});

export const resumedOrders = z.object({
  resumed: z.int().describe('how many were'),
  refused: z.array(z.object({ id: z.uuid(), detail: z.string() })).describe('which could not be'),
});

export type NewOrder = z.infer<typeof newOrder>;
export type Order = z.infer<typeof order>;
export type AdminOrder = z.infer<typeof adminOrder>;
export type OrderQuery = z.infer<typeof orderQuery>;
export type RefundRequest = z.infer<typeof refundRequest>;
export type Settlement = z.infer<typeof settlement>;
export type ResumeRequest = z.infer<typeof resumeRequest>;
export type ResumedOrders = z.infer<typeof resumedOrders>;
export type AdminOrderQuery = z.infer<typeof adminOrderQuery>;
