import { pageQuery, plainText } from '@signet/http';
import { z } from 'zod';
import { sku } from '../products/product.schema.js';

export const stockChange = z.strictObject({
  delta: z
    .int()
    .min(-1_000_000)
    .max(1_000_000)
    .refine((delta) => delta !== 0, 'expected a number other than 0')
    .meta({ example: 25, description: 'units added, or taken away when negative' }),
  reason: plainText(200).meta({ example: 'delivery 4711' }),
});

export const stockLevel = z.object({
  sku,
  onHand: z.int(),
  reserved: z.int(),
  available: z.int(),
});

export const movement = z.object({
  id: z.int(),
  sku,
  delta: z.int().describe('change of what is on hand'),
  reservedDelta: z.int().describe('change of what is reserved'),
  reason: z.string().describe("what was given, or what happened to the order's reservation"),
  orderId: z.uuid().optional(),
  actor: z.string().describe('subject of whoever moved it'),
  createdAt: z.iso.datetime(),
});

export const movementQuery = z.strictObject(pageQuery);

export type StockChange = z.infer<typeof stockChange>;
export type StockLevel = z.infer<typeof stockLevel>;
export type Movement = z.infer<typeof movement>;
export type MovementQuery = z.infer<typeof movementQuery>;
