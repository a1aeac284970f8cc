import { drizzle, NodePgSession, NodePgTransaction } from 'drizzle-orm/node-postgres';
import { PgDialect } from 'drizzle-orm/pg-core';
import type pg from 'pg';
import type { Database, Transaction } from './tokens.js';

const CASING = 'snake_case';

const dialect = new PgDialect({ casing: CASING });

/**
 * Drizzle over a pool, with transactions that always give their connection back. Drizzle's own keep it
 * for good when BEGIN fails, as it does while the server restarts: a few such requests, and a pool has
 * nothing left to give.
 */
export function openDatabase(pool: pg.Pool): Database {
  const database: Database = drizzle(pool, { casing: CASING });
  database.transaction = (work) => inTransaction(pool, work);
  return database;
}

async function inTransaction<Result>(
  pool: pg.Pool,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  /** Until PostgreSQL has said that the transaction is over, nobody may use its connection. */
  let isOpen = true;
  try {
    await client.query('begin');
    try {
      const result = await work(transactionOn(client));
      await client.query('commit');
      isOpen = false;
      return result;
    } catch (error) {
      await client.query('rollback').then(
        () => (isOpen = false),
        () => undefined,
      );
      throw error;
    }
  } finally {
    client.release(isOpen);
  }
}

/** Drizzle on a connection that is in a transaction already. */
export function transactionOn(client: pg.PoolClient): Transaction {
  const session = new NodePgSession<Record<string, unknown>, Record<string, never>>(
    client,
    dialect,
    undefined,
  );
  return new NodePgTransaction(dialect, session, undefined);
}
