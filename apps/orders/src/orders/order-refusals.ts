import { HttpStatus } from '@nestjs/common';
import { Problem } from '@signet/http';
import { statesBefore } from './order-states.js';
import type { OrderStatus } from './order-states.js';

interface Refused {
  id: string;
  status: OrderStatus;
}

/**
 * @param from the states from which this caller may have what they want; all that the table has when absent
 * @param instead what the caller may do from here
 */
export function invalid(
  status: OrderStatus,
  target: OrderStatus,
  from?: readonly OrderStatus[],
  instead = '',
): Problem {
  const only = from
    ? `here only ${from.join(' or ')}`
    : `only ${statesBefore(target).join(' or ')}`;
  const rule = `The order is ${status}; ${only} can become ${target}.`;
  return conflict('invalid_transition', [rule, instead].filter(Boolean).join(' '));
}

export const REFUNDABLE: readonly OrderStatus[] = ['confirmed', 'shipped'];

/** @param from the states that the caller may cancel from: a customer's are fewer than an administrator's */
export function notCancellable({ id, status }: Refused, from: readonly OrderStatus[]): Problem {
  const isAdmin = from.includes('confirmed');
  const instead = isAdmin && status === 'shipped' ? `Use POST /admin/orders/${id}/refund.` : '';
  return invalid(status, 'cancelled', from, instead);
}

export function notRefundable({ id, status }: Refused): Problem {
  const path = `POST /admin/orders/${id}`;
  const instead: Partial<Record<OrderStatus, string>> = {
    pending: `Use ${path}/cancel.`,
    needs_attention: `${path}/resume goes on from where it stopped; ${path}/cancel gives everything back.`,
  };
  return invalid(status, 'refunded', REFUNDABLE, instead[status]);
}

export function goodsAreGone({ id }: Refused): Problem {
  return conflict(
    'invalid_transition',
    `The goods have been shipped, so the order cannot be cancelled. POST /admin/orders/${id}/resume goes on with its refund.`,
  );
}

export function nothingPaid(): Problem {
  return conflict(
    'invalid_transition',
    'Nothing was paid through a checkout: nothing can go back.',
  );
}

export function notHalted({ status }: Refused): Problem {
  return conflict(
    'invalid_transition',
    `The order is ${status}; only what needs attention, and has stopped, can be resumed.`,
  );
}

export function notSettleable({ status }: Refused): Problem {
  return conflict(
    'invalid_transition',
    `The order is ${status}; only what needs attention because its refund failed can be settled by other means.`,
  );
}

export function paidBack(): Problem {
  return conflict(
    'payment_refunded',
    'The payment has been refunded, or is being refunded: the goods are not to be sent.',
  );
}

export function paymentsUnavailable(): Problem {
  return new Problem({
    status: HttpStatus.SERVICE_UNAVAILABLE,
    code: 'payments_unavailable',
    detail:
      'Whether the order is still paid for cannot be told right now. Nothing changed; try again.',
    retryAfter: 2,
  });
}

export function tooManyOpen(most: number): Problem {
  return new Problem({
    status: HttpStatus.TOO_MANY_REQUESTS,
    code: 'too_many_open_orders',
    detail: `At most ${most} orders of one customer at once whose checkout is not over. Nothing was ordered.`,
    retryAfter: 5,
  });
}

function conflict(code: string, detail: string): Problem {
  return new Problem({ status: HttpStatus.CONFLICT, code, detail });
}
