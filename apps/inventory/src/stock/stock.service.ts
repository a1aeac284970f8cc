import { HttpStatus, Injectable } from '@nestjs/common';
import { AuditLog, InjectDatabase } from '@signet/database';
import type { Actor, Database, Transaction } from '@signet/database';
import { decodeCursor, Problem, toPage } from '@signet/http';
import type { Page } from '@signet/http';
import { and, desc, eq, lt } from 'drizzle-orm';
import { z } from 'zod';
import type { AuditAction } from '../audit/audit-actions.js';
import { ProductsService } from '../products/products.service.js';
import { stockMovements } from '../schema.js';
import { ITSELF, StockLedger } from './stock-ledger.js';
import type { Movement, MovementQuery, StockChange, StockLevel } from './stock.schema.js';

/** Keeps sums within PostgreSQL's integer. */
const MAXIMUM_ON_HAND = 1_000_000_000;

@Injectable()
export class StockService {
  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly products: ProductsService,
    private readonly ledger: StockLedger,
    private readonly audit: AuditLog<AuditAction>,
  ) {}

  /**
   * @throws {Problem} 404; 409 `insufficient_stock` when fewer units are free than are taken away,
   *   `stock_limit_exceeded` when more would be on hand than the ledger can count
   */
  async adjust(
    transaction: Transaction,
    sku: string,
    { delta, reason }: StockChange,
    actor: Actor,
  ): Promise<StockLevel> {
    const move = { sku, onHand: delta, reserved: 0 };
    const cause = { reason, actor: actor.id ?? ITSELF };
    const [level] = await this.ledger.move(transaction, [move], cause);
    if (!level) {
      const { body } = await this.products.read(sku, transaction);
      throw tooFew(sku, body.available);
    }
    if (level.onHand > MAXIMUM_ON_HAND) throw tooMany();
    await this.audit.record(transaction, {
      action: 'stock.adjusted',
      actor,
      subject: sku,
      details: {
        reason,
        before: { onHand: level.onHand - delta },
        after: { onHand: level.onHand },
      },
    });
    return { ...level, available: level.onHand - level.reserved };
  }

  /** @throws {Problem} 404 */
  async movements(sku: string, { limit, cursor }: MovementQuery): Promise<Page<Movement>> {
    const before = decodeCursor(cursor, z.tuple([z.int()]));
    await this.products.read(sku);
    const rows = await this.database
      .select()
      .from(stockMovements)
      .where(and(eq(stockMovements.sku, sku), before && lt(stockMovements.id, before[0])))
      .orderBy(desc(stockMovements.id))
      .limit(limit + 1);
    return toPage(rows.map(toMovement), limit, (row) => [row.id]);
  }
}

function toMovement({ orderId, createdAt, ...row }: typeof stockMovements.$inferSelect): Movement {
  return {
    ...row,
    ...(orderId === null ? {} : { orderId }),
    createdAt: createdAt.toISOString(),
  };
}

function tooFew(sku: string, available: number): Problem {
  return new Problem({
    status: HttpStatus.CONFLICT,
    code: 'insufficient_stock',
    detail: `delta: expected ${-available} or more, since ${available} units of ${sku} are free.`,
    extensions: { available },
  });
}

function tooMany(): Problem {
  return new Problem({
    status: HttpStatus.CONFLICT,
    code: 'stock_limit_exceeded',
    detail: `delta: expected at most ${MAXIMUM_ON_HAND} units on hand afterwards.`,
  });
}
