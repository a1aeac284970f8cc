import { ORDER_STATUSES, ORDER_TRANSITIONS, statesBefore } from './order-states.js';
import type { OrderStatus } from './order-states.js';

const after = (status: OrderStatus): readonly OrderStatus[] => ORDER_TRANSITIONS[status];

describe('the states of an order', () => {
  it('can all be reached from pending', () => {
    const reached = new Set<OrderStatus>(['pending']);
    for (const status of reached) for (const next of after(status)) reached.add(next);
    expect([...reached].sort()).toEqual([...ORDER_STATUSES].sort());
  });

  it('end in rejected, cancelled or refunded, and nowhere else for good', () => {
    const final = ORDER_STATUSES.filter((status) => after(status).length === 0);
    expect(final.sort()).toEqual(['cancelled', 'refunded', 'rejected']);
  });

  it('are not left twice: nothing leads back to pending', () => {
    expect(statesBefore('pending')).toEqual([]);
  });

  it('let an order be shipped only after it was confirmed', () => {
    expect(statesBefore('shipped')).toEqual(['confirmed']);
  });
});
