import { money, pageQuery, plainText } from '@signet/http';
import { z } from 'zod';

export const sku = z
  .string()
  .regex(/^[A-Z0-9][A-Z0-9._-]{0,63}$/, 'expected up to 64 capitals, digits, dots, dashes')
  .meta({ example: 'MUG-STONE-01' });

const attributes = z
  .record(plainText(64), z.union([plainText(500), z.number(), z.boolean()]))
  .refine((value) => Object.keys(value).length <= 50, 'expected at most 50 attributes');

/** What one unit may cost: with the largest order of it, totals stay far within whole numbers. */
const price = money.refine(({ amount }) => amount <= 1_000_000_000, {
  path: ['amount'],
  error: 'expected at most 1000000000 minor units',
});

export const newProduct = z.strictObject({
  sku,
  name: plainText(200).meta({ example: 'Stoneware mug' }),
  description: plainText(2000).optional(),
  price,
  attributes: attributes.optional(),
  active: z.boolean().default(true),
});

export const productChange = newProduct
  .omit({ sku: true, active: true })
  .extend({ description: plainText(2000).nullable(), active: z.boolean() })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'expected at least one member to change');

export const product = z.object({
  sku,
  name: z.string(),
  description: z.string().optional(),
  price: money,
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  active: z.boolean(),
  available: z.int().describe('units that can be ordered now'),
});

/** `?sku=A&sku=B` asks for these products alone. */
export const productQuery = z.strictObject({
  ...pageQuery,
  sku: z
    .preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(sku).max(100))
    .optional(),
  active: z.enum(['true', 'false']).default('true'),
});

export type NewProduct = z.infer<typeof newProduct>;
export type ProductChange = z.infer<typeof productChange>;
export type Product = z.infer<typeof product>;
export type ProductQuery = z.infer<typeof productQuery>;
