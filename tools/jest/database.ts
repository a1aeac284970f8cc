import type { PostgresServer } from '../../launcher/src/postgres/server.ts';
import { startThrowAwayPostgres } from '../../launcher/src/postgres/throw-away.ts';

let server: PostgresServer | undefined;

/**
 * Jest's globalSetup: a PostgreSQL of this run's own. Specs find its superuser's URL in
 * SIGNET_TEST_DATABASE_URL and make databases of their own in it. Should Jest be killed, the server
 * ends by itself.
 */
export default async function start(): Promise<void> {
  server = await startThrowAwayPostgres();
  process.env.SIGNET_TEST_DATABASE_URL = server.url;
}

export async function stop(): Promise<void> {
  await server?.stop();
  server = undefined;
}
