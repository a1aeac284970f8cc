import type { Money, RepresentedUser } from '@signet/http';

/** What the saga must know of an order to ask other services for it. None of it ever changes. */
export interface CheckoutOrder {
  id: string;
  customerId: string;
  items: readonly { sku: string; quantity: number }[];
  total: Money;
  paymentMethod: string;
  /** For whom it asks. */
  actor: RepresentedUser;
}
