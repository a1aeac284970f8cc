import { HttpStatus, Injectable } from '@nestjs/common';
import { AuditLog, InjectDatabase } from '@signet/database';
import type { Actor, Database, Transaction } from '@signet/database';
import { assertMatches, decodeCursor, notFound, Problem, toPage } from '@signet/http';
import type { Page, VersionedAnswer, VersionList } from '@signet/http';
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { AuditAction } from '../audit/audit-actions.js';
import { products, stockLevels } from '../schema.js';
import { matching } from './product-filter.js';
import { editsAmong, versionOf } from './product-version.js';
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
  version: products.version,
  available: sql<number>`${stockLevels.onHand} - ${stockLevels.reserved}`,
};

@Injectable()
export class ProductsService {
  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly audit: AuditLog<AuditAction>,
  ) {}

  async list(query: ProductQuery): Promise<Page<Product>> {
    const after = decodeCursor(query.cursor, z.tuple([sku]));
    const matches = await matching(this.database, query);
    const rows = await this.select(this.database)
      .where(and(matches, after && gt(products.sku, after[0])))
      .orderBy(asc(products.sku))
      .limit(query.limit + 1);
    return toPage(rows.map(toProduct), query.limit, (row) => [row.sku]);
  }

  /** @throws {Problem} 404 */
  async read(
    id: string,
    database: Database | Transaction = this.database,
  ): Promise<VersionedAnswer<Product>> {
    const [row] = await this.select(database).where(eq(products.sku, id));
    if (!row) throw notFound('product');
    return { version: versionOf(row.version, row.available), body: toProduct(row) };
  }

  /** @throws {Problem} 409 `sku_taken` */
  async create(
    transaction: Transaction,
    { price, ...rest }: NewProduct,
    actor: Actor,
  ): Promise<Product> {
    const [created] = await transaction
      .insert(products)
      .values({ ...rest, ...toColumns(price) })
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
    const details = { after: { ...rest, price } };
    await this.audit.record(transaction, {
      action: 'product.created',
      actor,
      subject: rest.sku,
      details,
    });
    return (await this.read(rest.sku, transaction)).body;
  }

  /**
   * What changes nothing leaves the version as it is.
   *
   * @param accepted versions that the caller has seen; undefined accepts every one
   * @throws {Problem} 404; 412 `precondition_failed` when it was edited since
   */
  change(
    id: string,
    change: ProductChange,
    accepted: VersionList | undefined,
    actor: Actor,
  ): Promise<VersionedAnswer<Product>> {
    return this.database.transaction(async (transaction) => {
      // Not a full lock: orders that refer to the product go on.
      const [row] = await this.select(transaction)
        .where(eq(products.sku, id))
        .for('no key update', { of: products });
      if (!row) throw notFound('product');
      assertMatches(editsAmong(accepted), row.version);
      const details = differences(toProduct(row), change);
      if (details) {
        const { price, ...rest } = change;
        await transaction
          .update(products)
          .set({
            ...rest,
            ...(price && toColumns(price)),
            version: sql`${products.version} + 1`,
            updatedAt: sql`now()`,
          })
          .where(eq(products.sku, id));
        await this.audit.record(transaction, {
          action: 'product.changed',
          actor,
          subject: id,
          details,
        });
      }
      return this.read(id, transaction);
    });
  }

  private select(database: Database | Transaction) {
    return database
      .select(productColumns)
      .from(products)
      .innerJoin(stockLevels, eq(stockLevels.sku, products.sku))
      .$dynamic();
  }
}

type ProductRow = Omit<typeof products.$inferSelect, 'createdAt' | 'updatedAt' | 'words'> & {
  available: number;
};

function toProduct(row: ProductRow): Product {
  const { sku: id, name, description, priceAmount, currency, attributes, active, available } = row;
  return {
    sku: id,
    name,
    ...(description === null ? {} : { description }),
    price: { amount: priceAmount, currency },
    ...(attributes === null ? {} : { attributes }),
    active,
    available,
  };
}

function toColumns({ amount, currency }: Product['price']) {
  return { priceAmount: amount, currency };
}

/** The members that a change gives another value, before and after; undefined when there are none. */
function differences(product: Product, change: ProductChange) {
  const before: Record<string, unknown> = {};
  const after: Record<string, unknown> = {};
  for (const [member, value] of Object.entries(change)) {
    const current = product[member as keyof ProductChange] ?? null;
    if (isDeepStrictEqual(current, value)) continue;
    before[member] = current;
    after[member] = value;
  }
  return Object.keys(after).length > 0 ? { before, after } : undefined;
}
