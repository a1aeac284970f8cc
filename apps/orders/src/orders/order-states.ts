/** What can become of an order, as data: every rule about states is read from this table. */
export const ORDER_TRANSITIONS = {
  pending: ['confirmed', 'rejected', 'cancelled', 'needs_attention'],
  confirmed: ['shipped', 'refunded', 'cancelled', 'needs_attention'],
  needs_attention: ['confirmed', 'rejected', 'cancelled', 'refunded'],
  shipped: ['refunded', 'needs_attention'],
  rejected: [],
  /** Money or goods could not be given back. */
  cancelled: ['needs_attention'],
  refunded: [],
} as const satisfies Record<string, readonly string[]>;

export type OrderStatus = keyof typeof ORDER_TRANSITIONS;

export const ORDER_STATUSES = Object.keys(ORDER_TRANSITIONS) as [OrderStatus, ...OrderStatus[]];

/** The states from which an order may become `target`. */
export function statesBefore(target: OrderStatus): OrderStatus[] {
  return ORDER_STATUSES.filter((status) => canBecome(status, target));
}

export function canBecome(status: OrderStatus, target: OrderStatus): boolean {
  return (ORDER_TRANSITIONS[status] as readonly OrderStatus[]).includes(target);
}
