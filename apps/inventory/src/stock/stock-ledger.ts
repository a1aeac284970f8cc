import { Injectable } from '@nestjs/common';
import type { Transaction } from '@signet/database';
import { sql } from 'drizzle-orm';

/** The name under which the service moves stock by itself. */
export const ITSELF = 'inventory';

/** A change of one SKU's two columns. */
export interface StockMove {
  sku: string;
  onHand: number;
  reserved: number;
}

/** Why stock moves, and who moves it. */
export interface MoveCause {
  reason: string;
  actor: string;
  orderId?: string;
}

export interface MovedLevel {
  sku: string;
  onHand: number;
  reserved: number;
}

/** The one place that writes stock levels, so that no unit moves without its line in the ledger. */
@Injectable()
export class StockLedger {
  /**
   * Moves stock of several distinct SKUs, each only as far as `0 <= reserved <= on hand` allows. Rows
   * are locked in the order of their SKUs whatever the order of `moves`, so that no two callers wait
   * for each other. The condition is judged on what `locked` returns, since that is the row as it is once
   * the lock is had; the rest of the statement sees the table as it was before the wait.
   *
   * @returns the levels that moved: fewer than `moves` when some SKU is unknown or has too little. The caller
   *   must then roll back.
   */
  async move(
    transaction: Transaction,
    moves: readonly StockMove[],
    { reason, actor, orderId }: MoveCause,
  ): Promise<MovedLevel[]> {
    const skus = sql.param(moves.map(({ sku }) => sku));
    const onHand = sql.param(moves.map((move) => move.onHand));
    const reserved = sql.param(moves.map((move) => move.reserved));
    const { rows } = await transaction.execute<MovedLevel & Record<string, unknown>>(sql`
      with wanted as materialized (
        select * from unnest(${skus}::text[], ${onHand}::int[], ${reserved}::int[])
          as wanted (sku, on_hand_delta, reserved_delta)
      ), locked as materialized (
        select sku, on_hand, reserved from stock_levels
        where sku in (select sku from wanted) order by sku for update
      ), moved as (
        update stock_levels level
        set on_hand = locked.on_hand + on_hand_delta, reserved = locked.reserved + reserved_delta
        from wanted join locked using (sku)
        where level.sku = wanted.sku
          and locked.reserved + reserved_delta between 0 and locked.on_hand + on_hand_delta
        returning level.sku, level.on_hand, level.reserved, on_hand_delta, reserved_delta
      ), recorded as (
        insert into stock_movements (sku, delta, reserved_delta, reason, actor, order_id)
        select sku, on_hand_delta, reserved_delta, ${reason}, ${actor}, ${orderId ?? null}::uuid
        from moved order by sku
      )
      select sku, on_hand as "onHand", reserved from moved`);
    return rows;
  }
}
