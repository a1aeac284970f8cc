import { HttpStatus, Injectable, Logger } from '@nestjs/common';
import { money, Problem } from '@signet/http';
import { z } from 'zod';
import { INVENTORY_GRANT } from '../service-calls/service-tokens.js';
import type { ServiceTokens } from '../service-calls/service-tokens.js';

/** A price must be had while the customer waits. */
const TIMEOUT_MS = 3_000;

const catalogueProduct = z.object({
  sku: z.string(),
  name: z.string(),
  price: money,
});

const cataloguePage = z.object({ items: z.array(catalogueProduct) });

export type CatalogueProduct = z.infer<typeof catalogueProduct>;

/** Reads the public catalogue of the inventory service. */
@Injectable()
export class CatalogueClient {
  private readonly logger = new Logger(CatalogueClient.name);

  constructor(
    private readonly inventoryUrl: string,
    private readonly tokens: Pick<ServiceTokens, 'cached'>,
  ) {}

  /**
   * The products on sale among `skus`, by SKU.
   *
   * @throws {Problem} 503 `inventory_unavailable`
   */
  async onSale(skus: string[]): Promise<Map<string, CatalogueProduct>> {
    const url = new URL('products', `${this.inventoryUrl.replace(/\/+$/, '')}/`);
    url.searchParams.set('limit', '100');
    for (const sku of skus) url.searchParams.append('sku', sku);
    try {
      const response = await fetch(url, {
        headers: this.credentials(),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: 'error',
      });
      if (!response.ok) throw new Error(`inventory answered ${response.status}`);
      const { items } = cataloguePage.parse(await response.json());
      return new Map(items.map((item) => [item.sku, item]));
    } catch (error) {
      this.logger.warn(`The catalogue cannot be read: ${String(error)}`);
      throw new Problem({
        status: HttpStatus.SERVICE_UNAVAILABLE,
        code: 'inventory_unavailable',
        detail: 'Prices cannot be had right now. Nothing was ordered; try again.',
        retryAfter: 2,
      });
    }
  }
  /**
   * Anybody may read the catalogue, so nobody waits for a token; with one that is there already, we
   * are counted as the service that we are and not as one address.
   */
  private credentials(): Record<string, string> {
    const token = this.tokens.cached(INVENTORY_GRANT);
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }
}
