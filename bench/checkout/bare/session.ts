import type { PoolClient } from 'pg';

/** A connection to the database of one service. */
export type Session = Pick<PoolClient, 'query'>;

/** What one bare order is about. */
export interface BareOrder {
  id: string;
  customerId: string;
  sku: string;
  /** Minor units of EUR. */
  price: number;
}

export async function inTransaction(session: Session, work: () => Promise<unknown>): Promise<void> {
  await session.query('begin');
  await work();
  await session.query('commit');
}

interface Keyed {
  scope: string;
  key: string;
  status: number;
  /** The stored answer. */
  body: unknown;
}

/** A keyed request, as a service takes it: looked for, locked, looked for again, done and stored. */
export async function once(
  session: Session,
  { scope, key, status, body }: Keyed,
  effect: () => Promise<unknown>,
): Promise<void> {
  const look = () =>
    session.query('select * from idempotency_keys where scope = $1 and key = $2', [scope, key]);
  await look();
  await inTransaction(session, async () => {
    await session.query('select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as locked', [
      JSON.stringify([scope, key]),
    ]);
    await look();
    await effect();
    await session.query(
      'insert into idempotency_keys (scope, key, fingerprint, status, body) values ($1, $2, $3, $4, $5)',
      [scope, key, 'oe5ZfUYMODqm33UodDJq_o_AneaQF1kIhPk3KHnly3w', status, body],
    );
  });
}
