import { money, pageQuery, plainText, wholeNumber } from '@signet/http';
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

/** One value of a query parameter, or several. */
const oneOrMore = <Item extends z.ZodType>(item: Item, most: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? [value] : value),
    z.array(item).min(1).max(most),
  );

const priceLimit = wholeNumber(0, 1_000_000_000);

/** What must all be so of a product. */
export const productQuery = z
  .strictObject({
    ...pageQuery,
    q: plainText(200)
      .optional()
      .describe('beginnings of words in SKU, name, description or attributes, each to be found'),
    sku: oneOrMore(sku, 100).optional().describe('one of these'),
    active: z
      .enum(['true', 'false', 'all'])
      .default('true')
      .describe('whether it is sold; other than true for warehouse and admin alone'),
    currency: money.shape.currency.optional(),
    minPrice: priceLimit.optional().describe('minor units of `currency`'),
    maxPrice: priceLimit.optional().describe('minor units of `currency`'),
    attribute: oneOrMore(plainText(570).regex(/^[^:]+:./s, 'expected name:value'), 10)
      .optional()
      .describe('name:value, each to be found'),
  })
  .refine(
    ({ currency, minPrice, maxPrice }) =>
      currency !== undefined || (minPrice === undefined && maxPrice === undefined),
    { path: ['currency'], error: 'expected with minPrice and maxPrice: amounts of it are meant' },
  );

export type NewProduct = z.infer<typeof newProduct>;
export type ProductChange = z.infer<typeof productChange>;
export type Product = z.infer<typeof product>;
export type ProductQuery = z.infer<typeof productQuery>;
