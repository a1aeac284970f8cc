import fc from 'fast-check';
import {
  refusalOf,
  RESERVATION_EVENTS,
  RESERVATION_STATUSES,
  STOCK_EFFECTS,
  TRANSITIONS,
} from './reservation-states.js';
import type { ReservationStatus, StockEvent } from './reservation-states.js';

/** What may follow a status, itself left out. */
function following(status: ReservationStatus): ReservationStatus[] {
  return Object.values(TRANSITIONS[status]).filter((next) => next !== status);
}

function reachable(from: ReservationStatus, seen = new Set([from])): Set<ReservationStatus> {
  for (const next of following(from)) if (!seen.has(next)) reachable(next, seen.add(next));
  return seen;
}

describe('the statuses of a reservation', () => {
  it('are all reached from a hold', () => {
    expect([...reachable('held')].toSorted()).toEqual([...RESERVATION_STATUSES].toSorted());
  });

  it('end where no stock is out for the order: released, expired or returned', () => {
    const final = RESERVATION_STATUSES.filter((status) => following(status).length === 0);
    expect(final).toEqual(['released', 'expired', 'returned']);
    for (const status of RESERVATION_STATUSES) {
      expect(final.some((end) => reachable(status).has(end))).toBe(true);
    }
  });

  it('never come back to a hold', () => {
    for (const status of RESERVATION_STATUSES) {
      expect(following(status)).not.toContain('held');
    }
  });

  it('keep to what each of them means for stock, whatever happens and how often', () => {
    const meaning: Record<ReservationStatus, object> = {
      held: { onHand: 0, reserved: 1 },
      committed: { onHand: -1, reserved: 0 },
      released: { onHand: 0, reserved: 0 },
      expired: { onHand: 0, reserved: 0 },
      returned: { onHand: 0, reserved: 0 },
    };
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...RESERVATION_EVENTS)), (events) => {
        let status: ReservationStatus = 'held';
        const stock = { ...STOCK_EFFECTS.hold } as { onHand: number; reserved: number };
        for (const event of events) {
          const next: ReservationStatus | undefined = TRANSITIONS[status][event];
          if (next === undefined) {
            expect(refusalOf(status, event)).toMatch(/^reservation_/);
          } else if (next !== status) {
            const effect = STOCK_EFFECTS[event as StockEvent];
            stock.onHand += effect.onHand;
            stock.reserved += effect.reserved;
            status = next;
          }
        }
        expect(stock).toEqual(meaning[status]);
      }),
    );
  });
});
