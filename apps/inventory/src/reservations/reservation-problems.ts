import { HttpStatus } from '@nestjs/common';
import { Problem } from '@signet/http';
import { refusalOf } from './reservation-states.js';
import type { ReservationEvent, ReservationStatus } from './reservation-states.js';

/** What was asked of one SKU, and what there was. */
export interface Shortage {
  sku: string;
  requested: number;
  available: number;
}

export function outOfStock(shortages: Shortage[]): Problem {
  const each = shortages.map(
    ({ sku, requested, available }) => `${sku}: ${requested} asked, ${available} free`,
  );
  return new Problem({
    status: HttpStatus.CONFLICT,
    code: 'insufficient_stock',
    detail: `Not enough stock (${each.join('; ')}). Nothing is held.`,
    extensions: { shortages },
  });
}

export function unknownSkus(skus: string[]): Problem {
  return new Problem({
    status: HttpStatus.UNPROCESSABLE_ENTITY,
    code: 'unknown_sku',
    detail: `Not for sale: ${skus.join(', ')}. Nothing is held.`,
    extensions: { skus },
  });
}

export function otherItems(): Problem {
  return new Problem({
    status: HttpStatus.CONFLICT,
    code: 'reservation_conflict',
    detail: 'The order holds other items already. Release them first.',
  });
}

export function closed(status: ReservationStatus): Problem {
  return new Problem({
    status: HttpStatus.CONFLICT,
    code: 'reservation_closed',
    detail: `The order had its reservation, which is ${status}. An order is given only one.`,
    extensions: { reservationStatus: status },
  });
}

export function refused(status: ReservationStatus, event: ReservationEvent): Problem {
  return new Problem({
    status: HttpStatus.CONFLICT,
    code: refusalOf(status, event),
    detail: `There is no ${event} of a reservation that is ${status}.`,
    extensions: { reservationStatus: status },
  });
}
