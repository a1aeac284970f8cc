import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';

/** Any number will do, as long as every replica of every version uses the same. */
const MIGRATION_LOCK = 7_461_938_201;

/**
 * Brings the database to the newest migration of `folder`. Replicas that boot together take turns
 * under an advisory lock, so that each migration runs once; the lock ends with its connection, so a
 * process killed halfway leaves neither the lock nor half a migration.
 *
 * @throws {Error} when the database cannot be reached or a migration fails
 */
export async function migrate(connection: pg.ClientConfig, folder: string): Promise<void> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await applyMigrations(drizzle(client), { migrationsFolder: folder });
  } finally {
    await client.end();
  }
}
