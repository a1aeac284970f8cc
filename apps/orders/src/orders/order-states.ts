/** What can become of an order, as data: every rule about states is read from this table. */
export const ORDER_TRANSITIONS = {
  pending: ['confirmed', 'rejected', 'cancelled', 'needs_attention'],
  confirmed: ['shipped', 'refunded', 'cancelled', 'needs_attention'],
  needs_attention: ['confirmed', 'rejected', 'cancelled', 'refunded'],
  shipped: ['refunded', 'needs_attention'],
  // From an end, only because money or goods could not be given back, or came back from the bank.
  rejected: ['needs_attention'],
  cancelled: ['needs_attention'],
  refunded: ['needs_attention'],
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

/** Whether nothing comes after it but a human who sees to what went wrong. */
export function isFinal(status: OrderStatus): boolean {
  return ORDER_TRANSITIONS[status].every((next) => next === 'needs_attention');
}
