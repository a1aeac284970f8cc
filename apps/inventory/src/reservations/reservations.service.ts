import { Injectable } from '@nestjs/common';
import { InjectDatabase } from '@signet/database';
import type { Database, Transaction } from '@signet/database';
import { notFound } from '@signet/http';
import { eq, sql } from 'drizzle-orm';
import { reservationLines, reservations } from '../schema.js';
import { ITSELF, StockLedger } from '../stock/stock-ledger.js';
import { assertSold, shortagesOf } from './availability.js';
import { ReservationMetrics } from './reservation-metrics.js';
import { closed, otherItems, outOfStock, refused } from './reservation-problems.js';
import {
  CLOCK,
  findReservation,
  itemsOf,
  lockLapsed,
  lockReservation,
  statusOf,
  toReservation,
} from './reservation-rows.js';
import type { ReservationRow } from './reservation-rows.js';
import { STOCK_EFFECTS, TRANSITIONS } from './reservation-states.js';
import type { ReservationEvent, ReservationStatus, StockEvent } from './reservation-states.js';
import type { NewReservation, Reservation, ReservationItem } from './reservation.schema.js';

const inSeconds = (seconds: number) => sql`${CLOCK} + make_interval(secs => ${seconds})`;

/**
 * Stock that is set aside for orders. Every transaction locks its one reservation first and its stock
 * afterwards, by SKU, so that no two wait for each other.
 */
@Injectable()
export class ReservationsService {
  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly ledger: StockLedger,
    private readonly metrics: ReservationMetrics,
  ) {}

  /** @throws {Problem} 404 */
  async read(orderId: string): Promise<Reservation> {
    const row = await findReservation(this.database, orderId);
    if (!row) throw notFound('reservation');
    return toReservation(row, await itemsOf(this.database, orderId));
  }

  /**
   * Holds all the items or none. The same items again are the same reservation.
   *
   * @throws {Problem} 409 `insufficient_stock` with `shortages`, `reservation_conflict` when the order
   *   holds other items, `reservation_closed` when it had its reservation; 422 `unknown_sku`
   */
  hold(orderId: string, { items, expiresIn }: NewReservation, actor: string): Promise<Reservation> {
    return this.database.transaction(async (transaction) => {
      const [created] = await transaction
        .insert(reservations)
        .values({ orderId, status: 'held', expiresAt: inSeconds(expiresIn) })
        .onConflictDoNothing()
        .returning();
      if (!created) return this.sameHold(transaction, orderId, items);
      await assertSold(transaction, items);
      await transaction
        .insert(reservationLines)
        .values(items.map(({ sku, quantity }) => ({ orderId, sku, quantity })));
      await this.moveStock(transaction, orderId, items, 'hold', actor);
      this.metrics.becomes('held');
      return toReservation({ ...created, lapsed: false }, items);
    });
  }

  /**
   * Moves the end of a hold to later, never to earlier.
   *
   * @throws {Problem} 404; 409 `reservation_expired` or `reservation_closed`
   */
  async extend(transaction: Transaction, orderId: string, seconds: number): Promise<Reservation> {
    const row = await this.lock(transaction, orderId);
    assertLeads(row, 'extend');
    const [extended] = await transaction
      .update(reservations)
      .set({
        expiresAt: sql`greatest(${reservations.expiresAt}, ${inSeconds(seconds)})`,
        updatedAt: CLOCK,
      })
      .where(eq(reservations.orderId, orderId))
      .returning();
    return toReservation({ ...row, ...extended }, await itemsOf(transaction, orderId));
  }

  /**
   * `commit` sells what is held; `return` takes back what was sold. Done already is done.
   *
   * @throws {Problem} 404; 409 as `refusalOf` says
   */
  async apply(
    transaction: Transaction,
    orderId: string,
    event: 'commit' | 'return',
    actor: string,
  ): Promise<Reservation> {
    return this.change(transaction, await this.lock(transaction, orderId), event, actor);
  }

  /**
   * Gives back what is held. An order that holds nothing yet is marked, so that a hold which was sent
   * before and arrives later is refused.
   *
   * @throws {Problem} 409 `reservation_committed`
   */
  async release(orderId: string, actor: string): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const [marked] = await transaction
        .insert(reservations)
        .values({ orderId, status: 'released', expiresAt: CLOCK })
        .onConflictDoNothing()
        .returning();
      if (marked) return;
      const row = await this.lock(transaction, orderId);
      await this.change(transaction, row, row.lapsed ? 'expire' : 'release', actor);
    });
  }

  /**
   * Gives back what one hold kept past its end. What another transaction is busy with is left to it, so
   * that any number of replicas share the work and none waits.
   *
   * @param stuck orders to leave alone; the order joins them when its stock cannot be given back
   * @returns whether there was one
   */
  expireOne(stuck: Set<string>): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      const row = await lockLapsed(transaction, stuck);
      if (!row) return false;
      try {
        await this.change(transaction, row, 'expire', ITSELF);
      } catch (error) {
        stuck.add(row.orderId);
        throw error;
      }
      return true;
    });
  }

  private async lock(transaction: Transaction, orderId: string): Promise<ReservationRow> {
    const row = await lockReservation(transaction, orderId);
    if (!row) throw notFound('reservation');
    return row;
  }

  private async sameHold(
    transaction: Transaction,
    orderId: string,
    items: ReservationItem[],
  ): Promise<Reservation> {
    const row = await this.lock(transaction, orderId);
    if (statusOf(row) !== 'held') throw closed(statusOf(row));
    const held = await itemsOf(transaction, orderId);
    if (!sameItems(held, items)) throw otherItems();
    return toReservation(row, held);
  }

  private async change(
    transaction: Transaction,
    row: ReservationRow,
    event: Exclude<StockEvent, 'hold'>,
    actor: string,
  ): Promise<Reservation> {
    const { orderId } = row;
    const status = assertLeads(row, event);
    const items = await itemsOf(transaction, orderId);
    if (status === row.status) return toReservation(row, items);
    await transaction
      .update(reservations)
      .set({ status, updatedAt: CLOCK })
      .where(eq(reservations.orderId, orderId));
    await this.moveStock(transaction, orderId, items, event, actor);
    this.metrics.becomes(status);
    return toReservation({ ...row, status, lapsed: false }, items);
  }

  private async moveStock(
    transaction: Transaction,
    orderId: string,
    items: ReservationItem[],
    reason: StockEvent,
    actor: string,
  ): Promise<void> {
    const { onHand, reserved } = STOCK_EFFECTS[reason];
    const moves = items.map(({ sku, quantity }) => ({
      sku,
      onHand: onHand * quantity,
      reserved: reserved * quantity,
    }));
    const moved = await this.ledger.move(transaction, moves, { reason, actor, orderId });
    if (moved.length === items.length) return;
    if (reason !== 'hold') throw new Error(`There is no stock for the ${reason} of ${orderId}.`);
    this.metrics.refuses();
    const short = items.filter(({ sku }) => !moved.some((level) => level.sku === sku));
    throw outOfStock(await shortagesOf(transaction, short));
  }
}

/** @throws {Problem} 409 when the event leads nowhere from what the reservation is by now */
function assertLeads(row: ReservationRow, event: ReservationEvent): ReservationStatus {
  // Expiry is what writes down that a hold has lapsed.
  const from = event === 'expire' ? row.status : statusOf(row);
  const to = TRANSITIONS[from][event];
  if (!to) throw refused(from, event);
  return to;
}

function sameItems(held: ReservationItem[], asked: ReservationItem[]): boolean {
  const quantities = new Map(held.map(({ sku, quantity }) => [sku, quantity]));
  return (
    held.length === asked.length &&
    asked.every(({ sku, quantity }) => quantities.get(sku) === quantity)
  );
}
