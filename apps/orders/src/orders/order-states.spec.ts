import { isFinal, ORDER_STATUSES, ORDER_TRANSITIONS, statesBefore } from './order-states.js';
import type { OrderStatus } from './order-states.js';

const after = (status: OrderStatus): readonly OrderStatus[] => ORDER_TRANSITIONS[status];

function reachedFrom(start: OrderStatus): Set<OrderStatus> {
  const reached = new Set([start]);
  for (const status of reached) for (const next of after(status)) reached.add(next);
  return reached;
}

describe('the states of an order', () => {
  it('can all be reached from pending', () => {
    expect([...reachedFrom('pending')].sort()).toEqual([...ORDER_STATUSES].sort());
  });

  it.each(ORDER_STATUSES)('have no dead end: %s is an end, or leads to one', (status) => {
    const ends: OrderStatus[] = ['confirmed', 'shipped', 'rejected', 'cancelled', 'refunded'];
    expect([...reachedFrom(status)].some((reached) => ends.includes(reached))).toBe(true);
  });

  it.each(['rejected', 'cancelled', 'refunded'] as const)(
    'leave %s only for a human to look at what could not be undone',
    (status) => expect(after(status)).toEqual(['needs_attention']),
  );

  it('are final where the customer waits for nothing more', () => {
    expect(ORDER_STATUSES.filter(isFinal)).toEqual(['rejected', 'cancelled', 'refunded']);
  });

  it('lead from where a human has to look to every end that an order left for it', () => {
    for (const end of ORDER_STATUSES.filter(isFinal)) {
      expect(after('needs_attention')).toContain(end);
    }
  });

  it('are not left twice: nothing leads back to pending', () => {
    expect(statesBefore('pending')).toEqual([]);
  });

  it('let an order be shipped only after it was confirmed', () => {
    expect(statesBefore('shipped')).toEqual(['confirmed']);
  });
});
