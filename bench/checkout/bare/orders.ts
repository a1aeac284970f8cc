import type { PgBoss } from 'pg-boss';
import { inTransaction, once } from './session.ts';
import type { BareOrder, Session } from './session.ts';

/** A queue that no service works on. */
export const BARE_QUEUE = 'bare';

const STATE = {
  ...{ goal: 'confirmed', stock: 'none', money: 'none', paymentId: null, heldUntil: 0, round: 1 },
  ...{ tries: 0, since: 1_795_315_044_454, reason: null, halted: null, done: false },
};

/** The order, its saga and its job, in one transaction. */
export function place(orders: Session, boss: PgBoss, order: BareOrder): Promise<void> {
  const { id, customerId, sku, price } = order;
  const total = { amount: price, currency: 'EUR' };
  const body = {
    id,
    status: 'pending',
    items: [{ sku, name: 'Stoneware mug', quantity: 1 }],
    total,
  };
  const request = { scope: `${customerId} POST /orders`, key: id, status: 202, body };
  return once(orders, request, async () => {
    await orders.query(
      `insert into orders (id, customer_id, status, total_amount, currency, payment_method)
       values ($1, $2, 'pending', $3, 'EUR', 'tok_ok')`,
      [id, customerId, price],
    );
    await orders.query(
      `insert into order_lines (order_id, line, sku, name, quantity, unit_price)
       values ($1, 1, $2, 'Stoneware mug', 1, $3)`,
      [id, sku, price],
    );
    await orders.query(
      'insert into sagas (order_id, state, actor, due_at) values ($1, $2, $3, now())',
      [id, STATE, { sub: customerId, roles: ['customer'] }],
    );
    await boss.send(BARE_QUEUE, order, { db: asDatabase(orders), singletonKey: `${id}:1` });
    await read(orders, id);
  });
}

/** A job of the queue, which may be somebody else's order. */
export async function take(
  orders: Session,
  boss: PgBoss,
): Promise<{ job: string; order: BareOrder }> {
  const job = await fetched(orders, boss);
  const { id } = job.data;
  await orders.query('select * from sagas where order_id = $1', [id]);
  await orders.query('select * from orders where id = $1', [id]);
  await orders.query('select sku, quantity from order_lines where order_id = $1 order by line', [
    id,
  ]);
  return { job: job.id, order: job.data };
}

/** While others fetch, the one job that a statement saw may be taken already: then it asks again. */
async function fetched(orders: Session, boss: PgBoss) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const [job] = await boss.fetch<BareOrder>(BARE_QUEUE, { db: asDatabase(orders) });
    if (job) return job;
  }
  throw new Error('There are fewer jobs than orders.');
}

/** What is stored before each call of the checkout. */
export async function save(orders: Session, { id }: BareOrder, version: number): Promise<void> {
  await orders.query(
    `update sagas set version = $1, state = $2, due_at = now()
     where order_id = $3 and version = $4 returning *`,
    [version, STATE, id, version - 1],
  );
}

/** The order is confirmed; then its job is over. */
export async function finish(
  orders: Session,
  boss: PgBoss,
  { job, order: { id, customerId } }: { job: string; order: BareOrder },
): Promise<void> {
  await inTransaction(orders, async () => {
    await orders.query('select * from orders where id = $1 for update', [id]);
    await orders.query(
      `update sagas set version = version + 1, state = $1, due_at = null where order_id = $2 returning *`,
      [{ ...STATE, done: true }, id],
    );
    await orders.query(
      `update orders set status = 'confirmed', reason = null, version = version + 1 where id = $1`,
      [id],
    );
    const details = { after: { status: 'confirmed' }, onBehalfOf: { sub: customerId } };
    await orders.query(
      `insert into audit_events (action, subject, details) values ('order.confirmed', $1, $2)`,
      [id, details],
    );
    await orders.query('select pg_notify($1, $2)', [BARE_QUEUE, id]);
  });
  await boss.complete(BARE_QUEUE, job, undefined, { db: asDatabase(orders) });
}

async function read(orders: Session, id: string): Promise<void> {
  await orders.query('select * from orders where id = $1', [id]);
  await orders.query('select * from order_lines where order_id in ($1) order by order_id, line', [
    id,
  ]);
}

function asDatabase(session: Session) {
  return { executeSql: (text: string, values?: unknown[]) => session.query<never>(text, values) };
}
