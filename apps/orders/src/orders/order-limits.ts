export interface OrderLimits {
  /** Orders of one customer whose checkout is not over. */
  openPerCustomer: number;
  /** Streams of events that one replica has open at once. */
  streams: number;
}

export const ORDER_LIMITS = Symbol('ORDER_LIMITS');
