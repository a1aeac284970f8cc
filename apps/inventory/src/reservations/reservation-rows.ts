import type { Database, Transaction } from '@signet/database';
import { and, asc, eq, lte, notInArray, sql } from 'drizzle-orm';
import { reservationLines, reservations } from '../schema.js';
import type { ReservationStatus } from './reservation-states.js';
import type { Reservation, ReservationItem } from './reservation.schema.js';

export interface ReservationRow {
  orderId: string;
  status: ReservationStatus;
  expiresAt: Date;
  /** Held past its end: void, though nobody has written that down yet. */
  lapsed: boolean;
}

/** The clock of the moment: a transaction's own stands still while it waits for a lock. */
export const CLOCK = sql`clock_timestamp()`;

export async function findReservation(
  database: Database,
  orderId: string,
): Promise<ReservationRow | undefined> {
  const [row] = await database
    .select({
      orderId: reservations.orderId,
      status: reservations.status,
      expiresAt: reservations.expiresAt,
      lapsed: sql<boolean>`${reservations.status} = 'held' and ${reservations.expiresAt} <= ${CLOCK}`,
    })
    .from(reservations)
    .where(eq(reservations.orderId, orderId));
  return row;
}

/** The clock is read when the lock is had: a hold that ends while this waits has ended. */
export async function lockReservation(
  transaction: Transaction,
  orderId: string,
): Promise<ReservationRow | undefined> {
  const locked = transaction
    .$with('locked')
    .as(
      transaction
        .select()
        .from(reservations)
        .where(eq(reservations.orderId, orderId))
        .for('update'),
    );
  const [row] = await transaction
    .with(locked)
    .select({
      orderId: locked.orderId,
      status: locked.status,
      expiresAt: locked.expiresAt,
      lapsed: sql<boolean>`${locked.status} = 'held' and ${locked.expiresAt} <= ${CLOCK}`,
    })
    .from(locked);
  return row;
}

/** One hold past its end, not among `except`, that no other transaction is busy with. */
export async function lockLapsed(
  transaction: Transaction,
  except: Iterable<string>,
): Promise<ReservationRow | undefined> {
  const [row] = await transaction
    .select({
      orderId: reservations.orderId,
      status: reservations.status,
      expiresAt: reservations.expiresAt,
      lapsed: sql<boolean>`true`,
    })
    .from(reservations)
    .where(
      and(
        eq(reservations.status, 'held'),
        // The start of this transaction, which waits for nothing: an index can look for it.
        lte(reservations.expiresAt, sql`now()`),
        notInArray(reservations.orderId, [...except]),
      ),
    )
    .orderBy(asc(reservations.expiresAt))
    .limit(1)
    .for('update', { skipLocked: true });
  return row;
}

export async function itemsOf(
  database: Database | Transaction,
  orderId: string,
): Promise<ReservationItem[]> {
  return database
    .select({ sku: reservationLines.sku, quantity: reservationLines.quantity })
    .from(reservationLines)
    .where(eq(reservationLines.orderId, orderId));
}

/** What a reservation is by now, whatever is written. */
export function statusOf({ status, lapsed }: ReservationRow): ReservationStatus {
  return lapsed ? 'expired' : status;
}

export function toReservation(row: ReservationRow, items: ReservationItem[]): Reservation {
  return {
    orderId: row.orderId,
    status: statusOf(row),
    items: items.toSorted((one, other) => (one.sku < other.sku ? -1 : 1)),
    expiresAt: row.expiresAt.toISOString(),
  };
}
