import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const SERVICES = ['orders', 'inventory', 'payments'] as const;
/** What a connection has done is counted when it has been idle for ten seconds, at the latest. */
const COUNTED_AFTER_MS = 11_000;

type Written = Map<string, number>;

/** Rows that each order inserts into and updates in each table of the three services. */
export async function writtenBy(
  databaseUrl: (service: string) => string,
  work: () => Promise<{ orders: number }>,
): Promise<Record<string, number>> {
  const before = await written(databaseUrl);
  const { orders } = await work();
  const after = await written(databaseUrl);
  // Whole rows, since a few come from elsewhere.
  const each = [...after].map(([name, count]): [string, number] => [
    name,
    Math.round((count - (before.get(name) ?? 0)) / orders),
  ]);
  return Object.fromEntries(each.filter(([, count]) => count > 0));
}

/** Since ever. */
async function written(databaseUrl: (service: string) => string): Promise<Written> {
  await sleep(COUNTED_AFTER_MS);
  const counts: Written = new Map();
  for (const service of SERVICES) {
    const client = new pg.Client(databaseUrl(service));
    await client.connect();
    const { rows } = await client.query<{ name: string; inserted: string; updated: string }>(
      `select schemaname || '.' || relname as name, n_tup_ins as inserted, n_tup_upd as updated
       from pg_stat_user_tables`,
    );
    for (const { name, inserted, updated } of rows) {
      counts.set(`${service} ${name} inserted`, Number(inserted));
      counts.set(`${service} ${name} updated`, Number(updated));
    }
    await client.end();
  }
  return counts;
}
