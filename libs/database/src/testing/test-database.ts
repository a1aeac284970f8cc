import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** Where the tests' throw-away server is; Jest's global set-up starts it and says so here. */
const SERVER = 'SIGNET_TEST_DATABASE_URL';

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

/** An empty database of its own on the tests' PostgreSQL server. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env[SERVER];
  if (!server) throw new Error(`${SERVER} is not set: use the Jest preset with a database`);
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await administer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => administer(server, `drop database if exists ${name} with (force)`),
  };
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
