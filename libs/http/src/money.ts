import { z } from 'zod';

const EXPECTED = 'expected an ISO 4217 code in capitals, such as EUR';
const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));

/** An amount in the currency's minor units (cents), never a fraction; the currency per ISO 4217. */
export const money = z
  .strictObject({
    amount: z.int().min(0).meta({ example: 1999 }),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, EXPECTED)
      .refine((code) => CURRENCIES.has(code), EXPECTED)
      .meta({ example: 'EUR' }),
  })
  .meta({ description: 'Minor units and ISO 4217 currency' });

export type Money = z.infer<typeof money>;
