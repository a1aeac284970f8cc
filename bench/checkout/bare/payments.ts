import { randomUUID } from 'node:crypto';
import { inTransaction, once } from './session.ts';
import type { BareOrder, Session } from './session.ts';

/** What the provider tells of a step, and what becomes of the payment by it. */
const NEWS = {
  authorize: { event: 'authorized', status: 'requires_capture' },
  capture: { event: 'captured', status: 'succeeded' },
} as const;

type Kind = keyof typeof NEWS;

/** @returns the payment's id */
export async function authorize(payments: Session, order: BareOrder): Promise<string> {
  const id = randomUUID();
  const request = { scope: 'orders POST /internal/payments', key: `${order.id}:authorize:1` };
  await once(payments, { ...request, status: 201, body: null }, async () => {
    await payments.query(
      `insert into payments (id, order_id, customer_id, amount, currency, payment_method, status, provider)
       values ($1, $2, $3, $4, 'EUR', 'tok_ok', 'requires_confirmation', 'sandbox')
       on conflict (order_id) do nothing`,
      [id, order.id, order.customerId, order.price],
    );
    await payments.query('select * from payments where order_id = $1 for update', [order.id]);
    await attempt(payments, id, 'authorize', order);
  });
  await settle(payments, id, 'authorize', order);
  await answer(payments, 'order_id', order.id, request);
  return id;
}

export async function capture(payments: Session, id: string, order: BareOrder): Promise<void> {
  const scope = `orders POST /internal/payments/${id}/capture`;
  const request = { scope, key: `${order.id}:capture:1` };
  await once(payments, { ...request, status: 200, body: null }, async () => {
    await lock(payments, id);
    await attempt(payments, id, 'capture', order);
  });
  await settle(payments, id, 'capture', order);
  await answer(payments, 'id', id, request);
}

async function lock(payments: Session, id: string): Promise<void> {
  await payments.query('select * from payments where id = $1 for update', [id]);
}

/** What is written down before the provider is asked. */
async function attempt(
  payments: Session,
  id: string,
  kind: Kind,
  { price }: BareOrder,
): Promise<void> {
  const status = kind === 'authorize' ? 'authorizing' : 'capturing';
  await payments.query('update payments set status = $1 where id = $2', [status, id]);
  await payments.query(
    `insert into attempts (id, payment_id, kind, amount) values ($1, $2, $3, $4) returning *`,
    [randomUUID(), id, kind, price],
  );
}

/** The provider's answer, and its webhook, which says the same and comes second here. */
async function settle(
  payments: Session,
  id: string,
  kind: Kind,
  { price }: BareOrder,
): Promise<void> {
  const { event, status } = NEWS[kind];
  await payments.query('select * from payments where id = $1', [id]);
  await inTransaction(payments, async () => {
    await lock(payments, id);
    await payments.query(
      `update payments set status = $1, provider_payment = $2, captured_amount = $3, reason = null where id = $4`,
      [status, `sp_${id}`, kind === 'capture' ? price : 0, id],
    );
    await payments.query(
      `update attempts set settled_at = now(), reason = null, status = case
         when case kind when 'authorize' then 'authorized' when 'capture' then 'captured' else 'canceled' end = $1
         then 'succeeded' else 'failed' end
       where payment_id = $2 and status = 'open' and kind <> 'refund'`,
      [event, id],
    );
  });
  await inTransaction(payments, async () => {
    const webhook = randomUUID();
    await payments.query(
      `insert into provider_events (provider, id, type, outcome) values ('sandbox', $1, $2, 'unmatched')
       on conflict do nothing returning id`,
      [webhook, `payment.${event}`],
    );
    await payments.query(
      `select * from payments where id = $1 and provider = 'sandbox' for update`,
      [id],
    );
    await payments.query(
      `update provider_events set payment_id = $1, outcome = 'stale' where provider = 'sandbox' and id = $2`,
      [id, webhook],
    );
  });
}

async function answer(
  payments: Session,
  column: 'id' | 'order_id',
  value: string,
  { scope, key }: { scope: string; key: string },
): Promise<void> {
  const { rows } = await payments.query<{ id: string; status: string }>(
    `select p.*, r.id as refund from payments p left join refunds r on r.payment_id = p.id
     where p.${column} = $1 order by r.created_at, r.id`,
    [value],
  );
  await payments.query(
    `update idempotency_keys set body = $1 where scope = $2 and key = $3 and body is null returning body`,
    [JSON.stringify(rows[0]), scope, key],
  );
}
