import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from './migrate.js';
import { createTestDatabase } from './testing/index.js';
import type { TestDatabase } from './testing/index.js';

describe('migrations', () => {
  let database: TestDatabase;
  let folder: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'signet-migrations-'));
    await mkdir(join(folder, 'meta'));
    const entries = [{ idx: 0, version: '7', when: 1, tag: '0000_first', breakpoints: true }];
    await writeFile(
      join(folder, 'meta/_journal.json'),
      JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
    );
    await writeFile(join(folder, '0000_first.sql'), 'create table once (id int);');
  });

  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  it('run once when eight replicas boot at the same moment', async () => {
    const connection = { connectionString: database.url };
    await Promise.all(Array.from({ length: 8 }, () => migrate(connection, folder)));

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
    await expect(migrate(nowhere, folder)).rejects.toThrow(/ECONNREFUSED/);
  });
});
