import { sql } from 'drizzle-orm';
import pg from 'pg';
import { openDatabase } from './open-database.js';
import { createTestDatabase } from './testing/index.js';
import type { TestDatabase } from './testing/index.js';
import type { Database } from './tokens.js';

describe('a pool of one connection', () => {
  let testDatabase: TestDatabase;
  let pool: pg.Pool;
  let database: Database;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    pool = new pg.Pool({
      connectionString: testDatabase.url,
      max: 1,
      connectionTimeoutMillis: 2_000,
    });
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    database = openDatabase(pool);
  });

  afterAll(async () => {
    await pool.end();
    await testDatabase.drop();
  });

  const one = () =>
    database.transaction((transaction) =>
      transaction.execute<{ one: number }>(sql`select 1 as one`),
    );

  /** What a connection does that its server has ended, and that nobody has used since. */
  async function endConnection(): Promise<void> {
    const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
    const other = new pg.Client(testDatabase.url);
    await other.connect();
    await other.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    await other.end();
  }

  it('is there again after transactions that could not begin', async () => {
    const connect = pool.connect.bind(pool) as () => Promise<pg.PoolClient>;
    Reflect.set(pool, 'connect', async () => {
      const client = await connect();
      await client.query('select pg_terminate_backend(pg_backend_pid())').catch(() => undefined);
      return client;
    });
    for (let time = 0; time < 3; time += 1) await expect(one()).rejects.toThrow();
    Reflect.deleteProperty(pool, 'connect');
    expect((await one()).rows).toEqual([{ one: 1 }]);
  });

  it('is there again when the server ends it in the middle of a transaction', async () => {
    const ended = database.transaction(async (transaction) => {
      await transaction.execute(sql`select pg_terminate_backend(pg_backend_pid())`);
    });
    await expect(ended).rejects.toThrow();
    await endConnection();
    await one().catch(() => undefined);
    expect((await one()).rows).toEqual([{ one: 1 }]);
  });

  it('keeps nothing of a transaction that throws, and throws what was thrown', async () => {
    await database.execute(sql`create table things (id int)`);
    const refused = database.transaction(async (transaction) => {
      await transaction.execute(sql`insert into things values (1)`);
      throw new Error('changed my mind');
    });
    await expect(refused).rejects.toThrow('changed my mind');
    expect((await database.execute(sql`select * from things`)).rows).toEqual([]);
  });

  it('commits what does not', async () => {
    await database.transaction((transaction) =>
      transaction.execute(sql`insert into things values (2)`),
    );
    expect((await database.execute(sql`select id from things`)).rows).toEqual([{ id: 2 }]);
  });
});
