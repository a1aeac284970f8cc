import pg from 'pg';
import { migrate } from './migrate.js';
import { createTestDatabase } from './testing/index.js';
import type { TestDatabase } from './testing/index.js';
import { migrationsOf } from './testing/migrations-of.js';
import type { Migrations } from './testing/migrations-of.js';

describe('migrations', () => {
  let database: TestDatabase;
  let migrations: Migrations;

  beforeAll(async () => {
    database = await createTestDatabase();
    migrations = await migrationsOf('create table once (id int);');
  });

  afterAll(async () => {
    await database.drop();
    await migrations.remove();
  });

  it('run once when eight replicas boot at the same moment', async () => {
    const connection = { connectionString: database.url };
    await Promise.all(Array.from({ length: 8 }, () => migrate(connection, migrations.folder)));

    const client = new pg.Client(connection);
    await client.connect();
    const { rows } = await client.query(
      'select count(*)::int as n from drizzle.__drizzle_migrations',
    );
    await client.end();
    expect(rows).toEqual([{ n: 1 }]);
  });

  it('fail with a reason when the database cannot be reached', async () => {
    const nowhere = { connectionString: 'postgres://nobody@127.0.0.1:1/none' };
    await expect(migrate(nowhere, migrations.folder)).rejects.toThrow(/ECONNREFUSED/);
  });
});
