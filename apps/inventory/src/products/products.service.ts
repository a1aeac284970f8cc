import { HttpStatus, Injectable } from '@nestjs/common';
import { InjectDatabase } from '@signet/database';
import type { Database, Transaction } from '@signet/database';
import { decodeCursor, notFound, Problem, toPage } from '@signet/http';
import type { Page } from '@signet/http';
import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm';
import { z } from 'zod';
import { products, stockLevels } from '../schema.js';
import { sku } from './product.schema.js';
import type { NewProduct, Product, ProductChange, ProductQuery } from './product.schema.js';

const productColumns = {
  sku: products.sku,
  name: products.name,
  description: products.description,
  priceAmount: products.priceAmount,
  currency: products.currency,
  attributes: products.attributes,
  active: products.active,
  available: sql<number>`${stockLevels.onHand} - ${stockLevels.reserved}`,
};

@Injectable()
export class ProductsService {
  constructor(@InjectDatabase() private readonly database: Database) {}

  async list({ limit, cursor, sku: skus, active }: ProductQuery): Promise<Page<Product>> {
    const after = decodeCursor(cursor, z.tuple([sku]));
    const rows = await this.select(this.database)
      .where(
        and(
          eq(products.active, active === 'true'),
          skus && inArray(products.sku, skus),
          after && gt(products.sku, after[0]),
        ),
      )
      .orderBy(asc(products.sku))
      .limit(limit + 1);
    return toPage(rows.map(toProduct), limit, (row) => [row.sku]);
  }

  /** @throws {Problem} 404 */
  async read(id: string, database: Database | Transaction = this.database): Promise<Product> {
    const [row] = await this.select(database).where(eq(products.sku, id));
    if (!row) throw notFound('product');
    return toProduct(row);
  }

  /** @throws {Problem} 409 `sku_taken` */
  async create(transaction: Transaction, { price, ...rest }: NewProduct): Promise<Product> {
    const [created] = await transaction
      .insert(products)
      .values({ ...rest, priceAmount: price.amount, currency: price.currency })
      .onConflictDoNothing()
      .returning({ sku: products.sku });
    if (!created) {
      throw new Problem({
        status: HttpStatus.CONFLICT,
        code: 'sku_taken',
        detail: `There is a product ${rest.sku} already.`,
      });
    }
    await transaction.insert(stockLevels).values({ sku: rest.sku });
    return this.read(rest.sku, transaction);
  }

  /** @throws {Problem} 404 */
  async change(id: string, { price, ...rest }: ProductChange): Promise<Product> {
    await this.database
      .update(products)
      .set({
        ...rest,
        ...(price && { priceAmount: price.amount, currency: price.currency }),
        updatedAt: sql`now()`,
      })
      .where(eq(products.sku, id));
    return this.read(id);
  }

  private select(database: Database | Transaction) {
    return database
      .select(productColumns)
      .from(products)
      .innerJoin(stockLevels, eq(stockLevels.sku, products.sku))
      .$dynamic();
  }
}

type ProductRow = Omit<typeof products.$inferSelect, 'createdAt' | 'updatedAt'> & {
  available: number;
};

function toProduct({
  priceAmount,
  currency,
  description,
  attributes,
  ...row
}: ProductRow): Product {
  return {
    ...row,
    ...(description === null ? {} : { description }),
    ...(attributes === null ? {} : { attributes }),
    price: { amount: priceAmount, currency },
  };
}
