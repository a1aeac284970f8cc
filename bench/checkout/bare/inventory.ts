import { inTransaction, once } from './session.ts';
import type { BareOrder, Session } from './session.ts';

/** The price, as `POST /orders` asks for it. */
export async function price(inventory: Session, sku: string): Promise<void> {
  await inventory.query(
    `select p.*, l.on_hand - l.reserved as available
     from products p join stock_levels l on l.sku = p.sku
     where p.active and p.sku in ($1) order by p.sku limit 101`,
    [sku],
  );
}

export function hold(inventory: Session, { id, sku }: BareOrder): Promise<void> {
  return inTransaction(inventory, async () => {
    await inventory.query(
      `insert into reservations (order_id, status, expires_at)
       values ($1, 'held', clock_timestamp() + make_interval(secs => 900))
       on conflict do nothing returning *`,
      [id],
    );
    await inventory.query('select sku from products where sku in ($1) and active', [sku]);
    await inventory.query(
      'insert into reservation_lines (order_id, sku, quantity) values ($1, $2, 1)',
      [id, sku],
    );
    await move(inventory, { id, sku }, 0, 1, 'hold');
  });
}

export function commitHold(inventory: Session, { id, sku }: BareOrder): Promise<void> {
  const scope = `orders POST /internal/reservations/${id}/commit`;
  const answer = { orderId: id, status: 'committed', items: [{ sku, quantity: 1 }] };
  return once(inventory, { scope, key: `${id}:commit`, status: 200, body: answer }, async () => {
    await inventory.query(
      `with locked as (select * from reservations where order_id = $1 for update)
       select order_id, status, expires_at, status = 'held' and expires_at <= clock_timestamp()
       from locked`,
      [id],
    );
    await inventory.query('select sku, quantity from reservation_lines where order_id = $1', [id]);
    await inventory.query(
      `update reservations set status = 'committed', updated_at = clock_timestamp() where order_id = $1`,
      [id],
    );
    await move(inventory, { id, sku }, -1, -1, 'commit');
  });
}

async function move(
  inventory: Session,
  { id, sku }: Pick<BareOrder, 'id' | 'sku'>,
  onHand: number,
  reserved: number,
  reason: string,
): Promise<void> {
  const { rowCount } = await inventory.query(
    `with wanted as materialized (
       select * from unnest($1::text[], $2::int[], $3::int[])
         as wanted (sku, on_hand_delta, reserved_delta)
     ), locked as materialized (
       select sku, on_hand, reserved from stock_levels
       where sku in (select sku from wanted) order by sku for update
     ), moved as (
       update stock_levels level
       set on_hand = locked.on_hand + on_hand_delta, reserved = locked.reserved + reserved_delta
       from wanted join locked using (sku)
       where level.sku = wanted.sku
         and locked.reserved + reserved_delta between 0 and locked.on_hand + on_hand_delta
       returning level.sku, level.on_hand, level.reserved, on_hand_delta, reserved_delta
     ), recorded as (
       insert into stock_movements (sku, delta, reserved_delta, reason, actor, order_id)
       select sku, on_hand_delta, reserved_delta, $4, 'orders', $5::uuid from moved order by sku
     )
     select * from moved`,
    [[sku], [onHand], [reserved], reason, id],
  );
  if (rowCount !== 1) throw new Error(`There is no stock of ${sku} left to measure with.`);
}
