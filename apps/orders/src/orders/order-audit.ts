/** What the audit log of orders knows. */
export const ORDER_ACTIONS = [
  'order.confirmed',
  'order.rejected',
  'order.cancelled',
  'order.refund_requested',
  'order.refunded',
  'order.shipped',
  'order.needs_attention',
  'order.resumed',
  'order.settled',
] as const;

export type OrderAction = (typeof ORDER_ACTIONS)[number];
