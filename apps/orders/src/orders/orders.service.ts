import { Inject, Injectable } from '@nestjs/common';
import { InjectDatabase } from '@signet/database';
import type { Database, Transaction } from '@signet/database';
import { decodeCursor, notFound, toPage } from '@signet/http';
import type { Page, RepresentedUser } from '@signet/http';
import { and, asc, desc, eq, gte, inArray, lt, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { newSaga } from '../checkout/saga-state.js';
import { SagaStore } from '../checkout/saga-store.js';
import { orderLines, orders, sagas } from '../schema.js';
import { CatalogueClient } from './catalogue.client.js';
import type { OrderStatus } from './order-states.js';
import { ORDER_LIMITS } from './order-limits.js';
import type { OrderLimits } from './order-limits.js';
import { assertFewOpen } from './open-orders.js';
import { versionOf } from './order-version.js';
import type { AdminOrder, AdminOrderQuery, NewOrder } from './order.schema.js';
import { quote } from './quote.js';
import type { Quote } from './quote.js';

@Injectable()
export class OrdersService {
  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly catalogue: CatalogueClient,
    private readonly sagas: SagaStore,
    @Inject(ORDER_LIMITS) private readonly limits: OrderLimits,
  ) {}

  /** @throws {Problem} 422 when something is not on sale; 503 `inventory_unavailable` */
  async quote({ items }: NewOrder): Promise<Quote> {
    return quote(items, await this.catalogue.onSale(items.map(({ sku }) => sku)));
  }

  /**
   * The order, its checkout and the job that runs it, or nothing.
   *
   * @throws {Problem} 429 `too_many_open_orders`
   */
  async place(
    transaction: Transaction,
    customer: RepresentedUser,
    paymentMethod: string,
    { lines, total }: Quote,
  ): Promise<AdminOrder> {
    await assertFewOpen(transaction, customer.sub, this.limits.openPerCustomer);
    const id = uuidv7();
    await transaction.insert(orders).values({
      id,
      customerId: customer.sub,
      status: 'pending',
      totalAmount: total.amount,
      currency: total.currency,
      paymentMethod,
    });
    await transaction
      .insert(orderLines)
      .values(lines.map((line, index) => ({ orderId: id, line: index + 1, ...line })));
    await this.sagas.begin(transaction, id, newSaga(total.amount, Date.now()), customer);
    return this.read(id, undefined, transaction);
  }

  /**
   * @param customerId whose order it must be; anyone's when undefined
   * @throws {Problem} 404, also when it is someone else's
   */
  async read(
    id: string,
    customerId: string | undefined,
    database: Database | Transaction = this.database,
  ): Promise<AdminOrder> {
    return (await this.readVersion(id, customerId, database)).body;
  }

  /** As `read`, with the version that it is in, and whether its checkout has nothing left to do. */
  async readVersion(
    id: string,
    customerId: string | undefined,
    database: Database | Transaction = this.database,
  ): Promise<{ version: number; isIdle: boolean; body: AdminOrder }> {
    const rows = await selected(database).where(matching({ id, customerId }));
    const [body] = await this.withLines(rows, database);
    if (!rows[0] || !body) throw notFound('order');
    const { order, paymentId, dueAt } = rows[0];
    return { version: versionOf(order.version, paymentId), isIdle: dueAt === null, body };
  }

  /** Newest first. */
  async list({
    limit,
    cursor,
    ...filter
  }: Partial<AdminOrderQuery> & { limit: number }): Promise<Page<AdminOrder>> {
    const before = decodeCursor(cursor, z.tuple([z.uuid()]));
    const rows = await selected(this.database)
      .where(and(matching(filter), before && lt(orders.id, before[0])))
      .orderBy(desc(orders.id))
      .limit(limit + 1);
    const page = toPage(rows, limit, ({ order }) => [order.id]);
    return { ...page, items: await this.withLines(page.items, this.database) };
  }

  /** Ids of orders that need attention, the oldest first. @param reason how theirs begins */
  async needingAttention(
    transaction: Transaction,
    reason: string,
    limit: number,
  ): Promise<string[]> {
    const rows = await transaction
      .select({ id: orders.id })
      .from(orders)
      .where(
        and(eq(orders.status, 'needs_attention'), sql`starts_with(${orders.reason}, ${reason})`),
      )
      .orderBy(asc(orders.id))
      .limit(limit);
    return rows.map(({ id }) => id);
  }

  private async withLines(
    rows: FoundOrder[],
    database: Database | Transaction,
  ): Promise<AdminOrder[]> {
    if (rows.length === 0) return [];
    const ids = rows.map(({ order }) => order.id);
    const lines = await database
      .select()
      .from(orderLines)
      .where(inArray(orderLines.orderId, ids))
      .orderBy(asc(orderLines.orderId), asc(orderLines.line));
    const byOrder = Map.groupBy(lines, (line) => line.orderId);
    return rows.map((row) => toOrder(row, byOrder.get(row.order.id) ?? []));
  }
}

function selected(database: Database | Transaction) {
  return database
    .select({
      order: orders,
      dueAt: sagas.dueAt,
      paymentId: sql<string | null>`${sagas.state} ->> 'paymentId'`,
    })
    .from(orders)
    .leftJoin(sagas, eq(sagas.orderId, orders.id));
}

interface FoundOrder {
  order: typeof orders.$inferSelect;
  paymentId: string | null;
}

interface OrderFilter {
  id?: string | undefined;
  customerId?: string | undefined;
  status?: OrderStatus | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

function matching({ id, customerId, status, from, to }: OrderFilter) {
  return and(
    id === undefined ? undefined : eq(orders.id, id),
    customerId === undefined ? undefined : eq(orders.customerId, customerId),
    status === undefined ? undefined : eq(orders.status, status),
    from === undefined ? undefined : gte(orders.createdAt, new Date(from)),
    to === undefined ? undefined : lt(orders.createdAt, new Date(to)),
  );
}

function toOrder(
  { order: row, paymentId }: FoundOrder,
  lines: (typeof orderLines.$inferSelect)[],
): AdminOrder {
  const { currency } = row;
  return {
    id: row.id,
    customerId: row.customerId,
    status: row.status,
    items: lines.map(({ sku, name, quantity, unitPrice }) => ({
      sku,
      name,
      quantity,
      unitPrice: { amount: unitPrice, currency },
    })),
    total: { amount: row.totalAmount, currency },
    createdAt: row.createdAt.toISOString(),
    ...(row.reason !== null && { reason: row.reason }),
    ...(paymentId !== null && { paymentId }),
  };
}
