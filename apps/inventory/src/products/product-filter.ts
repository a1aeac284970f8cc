import type { Database } from '@signet/database';
import { and, eq, gte, inArray, lte, or, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { products } from '../schema.js';
import type { ProductQuery } from './product.schema.js';
import { searchFor } from './search-words.js';

/** The condition that a query of the catalogue stands for. */
export async function matching(database: Database, query: ProductQuery): Promise<SQL | undefined> {
  const { q, sku, active, currency, minPrice, maxPrice, attribute = [] } = query;
  return and(
    active === 'all' ? undefined : eq(products.active, active === 'true'),
    q === undefined
      ? undefined
      : sql`${products.words} @@ ${await searchFor(database, q)}::tsquery`,
    sku && inArray(products.sku, sku),
    currency === undefined ? undefined : eq(products.currency, currency),
    minPrice === undefined ? undefined : gte(products.priceAmount, minPrice),
    maxPrice === undefined ? undefined : lte(products.priceAmount, maxPrice),
    ...attribute.map(hasAttribute),
  );
}

/** @param pair `name:value`, where the value may stand for a text, a number or a truth value */
function hasAttribute(pair: string): SQL | undefined {
  const colon = pair.indexOf(':');
  const name = pair.slice(0, colon);
  return or(
    ...meanings(pair.slice(colon + 1)).map(
      (value) => sql`${products.attributes} @> ${JSON.stringify({ [name]: value })}::jsonb`,
    ),
  );
}

function meanings(value: string): (string | number | boolean)[] {
  if (value === 'true' || value === 'false') return [value, value === 'true'];
  const number = Number(value);
  return value.trim() !== '' && Number.isFinite(number) ? [value, number] : [value];
}
