export const RESERVATION_STATUSES = [
  'held',
  'committed',
  'released',
  'expired',
  'returned',
] as const;

export type ReservationStatus = (typeof RESERVATION_STATUSES)[number];

export const RESERVATION_EVENTS = ['extend', 'commit', 'release', 'expire', 'return'] as const;

export type ReservationEvent = (typeof RESERVATION_EVENTS)[number];

/**
 * Where each event leads. A status that leads to itself is an event that has happened already (or,
 * for `extend`, one that concerns the date alone): it is answered and moves nothing. What is not here is refused.
 */
export const TRANSITIONS: Record<
  ReservationStatus,
  Partial<Record<ReservationEvent, ReservationStatus>>
> = {
  held: { extend: 'held', commit: 'committed', release: 'released', expire: 'expired' },
  committed: { commit: 'committed', return: 'returned' },
  released: { release: 'released' },
  expired: { release: 'expired', expire: 'expired' },
  returned: { return: 'returned', release: 'returned' },
};

/** What moves stock: `hold`, which begins a reservation, and all that change its status. */
export type StockEvent = 'hold' | Exclude<ReservationEvent, 'extend'>;

/** What each unit of a reservation does to the two columns of its stock level. */
export const STOCK_EFFECTS = {
  hold: { onHand: 0, reserved: 1 },
  commit: { onHand: -1, reserved: -1 },
  release: { onHand: 0, reserved: -1 },
  expire: { onHand: 0, reserved: -1 },
  return: { onHand: 1, reserved: 0 },
} as const satisfies Record<StockEvent, { onHand: number; reserved: number }>;

/** The code of the refusal of an event that leads nowhere. */
export function refusalOf(status: ReservationStatus, event: ReservationEvent): string {
  if (event === 'return') return 'reservation_not_committed';
  if (event === 'release') return 'reservation_committed';
  return status === 'expired' ? 'reservation_expired' : 'reservation_closed';
}
