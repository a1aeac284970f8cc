/** An order with everything that the other services know of it. */
export interface OrderBook {
  id: string;
  status: string;
  reason?: string | undefined;
  /** Minor units. */
  total: number;
  items: { sku: string; quantity: number }[];
  /** What inventory says of its reservation; undefined when it never heard of the order. */
  reservation?: string | undefined;
  /** How often, and how much in all, the provider captured for it. */
  captures: number;
  captured: number;
  refunded: number;
}

export interface StockBook {
  sku: string;
  start: number;
  /** Sums of the ledger. */
  onHand: number;
  reserved: number;
  /** What the catalogue says can be ordered. */
  available: number;
}

export interface Books {
  orders: OrderBook[];
  stock: StockBook[];
  /** What the provider took in all, refunds taken off, minor units. */
  taken: number;
}

const KEPT = ['confirmed', 'shipped'];
const UNDONE = ['rejected', 'cancelled', 'refunded'];

/** Everything that does not add up, a sentence each. */
export function discrepancies({ orders, stock, taken }: Books): string[] {
  const found = orders.flatMap(ofOrder);
  const sold = new Map<string, number>();
  for (const { reservation, items } of orders) {
    if (reservation !== 'committed') continue;
    for (const { sku, quantity } of items) sold.set(sku, (sold.get(sku) ?? 0) + quantity);
  }
  for (const { sku, start, onHand, reserved, available } of stock) {
    const committed = sold.get(sku) ?? 0;
    if (start - onHand !== committed) {
      found.push(`${sku}: ${start - onHand} left the shelf, ${committed} are sold`);
    }
    if (reserved !== 0) found.push(`${sku}: ${reserved} are still reserved`);
    if (available !== onHand - reserved || available < 0) {
      found.push(`${sku}: ${available} available of ${onHand} on hand, ${reserved} reserved`);
    }
  }
  const owed = sum(orders.filter(({ status }) => KEPT.includes(status)).map(({ total }) => total));
  const open = sum(
    orders
      .filter(({ status }) => status === 'needs_attention')
      .map(({ captured, refunded }) => captured - refunded),
  );
  if (taken !== owed + open) {
    found.push(
      `the provider took ${taken}, confirmed orders come to ${owed}, open ones to ${open}`,
    );
  }
  return found;
}

function ofOrder(order: OrderBook): string[] {
  const { id, status, reason, total, reservation, captures, captured, refunded } = order;
  const name = `order ${id} (${status})`;
  const found: string[] = [];
  if (captures > 1) found.push(`${name}: captured ${captures} times`);
  if (captured > total) found.push(`${name}: ${captured} captured of ${total}`);
  if (refunded > captured) found.push(`${name}: ${refunded} refunded of ${captured}`);
  if (status === 'needs_attention') {
    if (!reason) found.push(`${name}: without a reason`);
    return found;
  }
  if (KEPT.includes(status)) {
    if (captured - refunded !== total) {
      found.push(`${name}: ${captured} captured, ${refunded} refunded of ${total}`);
    }
    if (reservation !== 'committed') found.push(`${name}: stock is ${reservation ?? 'not held'}`);
  } else if (UNDONE.includes(status)) {
    if (captured !== refunded) found.push(`${name}: ${captured} captured, ${refunded} refunded`);
    if (reservation === 'held') found.push(`${name}: stock is still held`);
    if (reservation === 'committed' && status !== 'refunded') found.push(`${name}: stock is sold`);
  } else found.push(`${name}: is not final`);
  return found;
}

/** For people. */
export function report({ orders, stock, taken }: Books): string {
  const statuses = new Map<string, number>();
  for (const { status } of orders) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const counted = [...statuses].sort().map(([status, count]) => `${count} ${status}`);
  const reasons = orders
    .filter(({ status }) => status === 'needs_attention')
    .map(({ id, reason }) => `    ${id}: ${reason ?? ''}`);
  return [
    `  orders: ${orders.length} (${counted.join(', ')})`,
    ...reasons,
    `  money:  ${sum(orders.map(({ captured }) => captured))} captured, ${sum(
      orders.map(({ refunded }) => refunded),
    )} refunded, ${taken} kept`,
    ...stock.map(
      ({ sku, start, onHand, reserved }) =>
        `  stock:  ${sku}: ${start} at first, ${onHand} on hand, ${reserved} reserved`,
    ),
  ].join('\n');
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
