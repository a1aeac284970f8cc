import { uuid } from '@signet/http';
import { z } from 'zod';
import { sku } from '../products/product.schema.js';
import { RESERVATION_STATUSES } from './reservation-states.js';

export const orderId = uuid;

const item = z.strictObject({ sku, quantity: z.int().min(1).max(1_000_000) });

const expiresIn = z.int().min(30).max(3600).meta({ description: 'seconds from now', example: 900 });

export const newReservation = z.strictObject({
  items: z
    .array(item)
    .min(1)
    .max(50)
    .refine(
      (items) => new Set(items.map((line) => line.sku)).size === items.length,
      'expected each SKU once',
    ),
  expiresIn: expiresIn.default(900),
});

export const extension = z.strictObject({ expiresIn });

export const reservation = z.object({
  orderId,
  status: z.enum(RESERVATION_STATUSES),
  items: z.array(z.object({ sku, quantity: z.int() })).describe('by SKU'),
  expiresAt: z.iso.datetime().describe('a hold is void from then on'),
});

export type ReservationItem = z.infer<typeof item>;
export type NewReservation = z.infer<typeof newReservation>;
export type Extension = z.infer<typeof extension>;
export type Reservation = z.infer<typeof reservation>;
