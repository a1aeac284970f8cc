/**
 * A number that grows with everything that is shown of an order: the changes of its row, and its
 * payment, which the checkout learns of in between.
 */
export function versionOf(changes: number, paymentId: string | null): number {
  return changes * 2 + (paymentId === null ? 0 : 1);
}
