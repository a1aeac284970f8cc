import { HttpStatus } from '@nestjs/common';
import { Problem } from '@signet/http';
import type { Money } from '@signet/http';
import type { CatalogueProduct } from './catalogue.client.js';
import type { NewOrder } from './order.schema.js';

export interface QuotedLine {
  sku: string;
  name: string;
  quantity: number;
  /** Minor units of the total's currency. */
  unitPrice: number;
}

export interface Quote {
  lines: QuotedLine[];
  total: Money;
}

/**
 * Prices an order with the catalogue's prices; whatever a client believes things cost plays no part.
 *
 * @throws {Problem} 422 `product_unavailable` naming the SKUs that are not on sale, or
 *   `mixed_currencies`
 */
export function quote(
  items: NewOrder['items'],
  onSale: ReadonlyMap<string, CatalogueProduct>,
): Quote {
  const missing = items.map(({ sku }) => sku).filter((sku) => !onSale.has(sku));
  if (missing.length > 0) {
    throw unprocessable('product_unavailable', `Not on sale: ${missing.join(', ')}.`, {
      skus: missing,
    });
  }
  const lines = items.flatMap(({ sku, quantity }) => {
    const product = onSale.get(sku);
    return product ? [{ product, quantity }] : [];
  });
  const currencies = [...new Set(lines.map(({ product }) => product.price.currency))];
  const [currency = '', ...others] = currencies;
  if (others.length > 0) {
    throw unprocessable(
      'mixed_currencies',
      `One order is paid in one currency; these items are priced in ${currencies.join(' and ')}.`,
    );
  }
  const amount = lines.reduce((sum, line) => sum + line.product.price.amount * line.quantity, 0);
  return {
    lines: lines.map(({ product, quantity }) => ({
      sku: product.sku,
      name: product.name,
      quantity,
      unitPrice: product.price.amount,
    })),
    total: { amount, currency },
  };
}

function unprocessable(code: string, detail: string, extensions?: Record<string, unknown>) {
  return new Problem({ status: HttpStatus.UNPROCESSABLE_ENTITY, code, detail, extensions });
}
