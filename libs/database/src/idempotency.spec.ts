import { Problem } from '@signet/http';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { IdempotencyService } from './idempotency.service.js';
import type { IdempotentRequest } from './idempotency.service.js';
import { Retention } from './retention.js';
import { idempotencyKeys } from './schema.js';
import { createTestDatabase, until } from './testing/index.js';
import type { TestDatabase } from './testing/index.js';

const request: IdempotentRequest = {
  scope: 'customer-1 POST /orders',
  key: 'k1',
  fingerprint: 'body-1',
  status: 201,
};

describe('an idempotent request', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let idempotency: IdempotencyService;

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool({ connectionString: database.url });
    // Dropping the database may cut a connection that is about to close.
    pool.on('error', () => undefined);
    idempotency = new IdempotencyService(drizzle(pool, { casing: 'snake_case' }));
    await pool.query(`create table effects (id serial);
      create table idempotency_keys (
        scope text, key text, fingerprint text not null, status int not null, body jsonb,
        created_at timestamptz not null default now(), primary key (scope, key))`);
  });

  beforeEach(() => pool.query('truncate effects, idempotency_keys'));

  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const effect: Parameters<IdempotencyService['run']>[1] = async (transaction) => {
    await transaction.execute('insert into effects default values');
    return { made: true };
  };

  async function effects(): Promise<unknown> {
    const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from effects');
    return rows[0]?.n;
  }

  it('takes effect once, and its repetitions get the same answer', async () => {
    const first = await idempotency.run(request, effect);
    const second = await idempotency.run(request, effect);
    expect(first).toEqual({ status: 201, body: { made: true }, replayed: false });
    expect(second).toEqual({ ...first, replayed: true });
    expect(await effects()).toBe(1);
  });

  it('is refused with 422 when the key comes back with another body', async () => {
    await idempotency.run(request, effect);
    const other = idempotency.run({ ...request, fingerprint: 'body-2' }, effect);
    await expect(other).rejects.toMatchObject({ code: 'idempotency_key_reused', status: 422 });
    expect(await effects()).toBe(1);
  });

  it('means nothing to another caller who happens to use the same key', async () => {
    await idempotency.run(request, effect);
    await idempotency.run({ ...request, scope: 'customer-2 POST /orders' }, effect);
    expect(await effects()).toBe(2);
  });

  it('may be tried again after its effect failed, and leaves nothing of the failure', async () => {
    const failing = idempotency.run(request, async (transaction, prepared) => {
      await effect(transaction, prepared);
      throw new Error('the power went out');
    });
    await expect(failing).rejects.toThrow('the power went out');
    expect(await effects()).toBe(0);
    await idempotency.run(request, effect);
    expect(await effects()).toBe(1);
  });

  it('is answered 409 while the first is still running', async () => {
    let finish = (): void => undefined;
    let started = (): void => undefined;
    const running = new Promise<void>((resolve) => (started = resolve));
    const first = idempotency.run(request, async (transaction, prepared) => {
      started();
      await new Promise<void>((resolve) => (finish = resolve));
      return effect(transaction, prepared);
    });
    await running;
    const second = idempotency.run(request, effect);
    await expect(second).rejects.toMatchObject({ code: 'idempotency_key_in_use', retryAfter: 1 });
    finish();
    await first;
    expect(await effects()).toBe(1);
  });

  it('takes effect once however many copies arrive at the same moment', async () => {
    const copies = Array.from({ length: 30 }, () =>
      idempotency.run(request, effect).catch((error: unknown) => error),
    );
    const answers = await Promise.all(copies);
    expect(await effects()).toBe(1);
    for (const answer of answers) {
      if (answer instanceof Problem) expect(answer.code).toBe('idempotency_key_in_use');
      else expect(answer).toMatchObject({ status: 201, body: { made: true } });
    }
  });

  describe('after a day', () => {
    const stored = async () => {
      const { rows } = await pool.query<{ key: string }>(
        'select key from idempotency_keys order by key',
      );
      return rows.map(({ key }) => key);
    };
    const store = (key: string, age: string) =>
      pool.query(
        `insert into idempotency_keys (scope, key, fingerprint, status, created_at)
         select 'customer-1 POST /orders', $1 || n, 'body-1', 201, now() - $2::interval
         from generate_series(1, 1500) n`,
        [key, age],
      );
    const later = () => jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);

    afterEach(() => jest.restoreAllMocks());

    it('is forgotten, and takes effect when it comes again; younger ones are not', async () => {
      await store('old', '24 hours 1 minute');
      await store('young', '23 hours 59 minutes');
      later();
      await idempotency.run(request, effect);
      await until(async () => (await stored()).length === 1501);
      expect((await stored()).filter((key) => key.startsWith('old'))).toEqual([]);
      await idempotency.run({ ...request, key: 'old1' }, effect);
      expect(await effects()).toBe(2);
    });

    it('is passed over while another replica deletes it, and waits for nobody', async () => {
      await store('old', '25 hours');
      const other = await pool.connect();
      await other.query("begin; delete from idempotency_keys where key = 'old7'");
      later();
      const rows = drizzle(pool, { casing: 'snake_case' });
      await new Retention(rows, idempotencyKeys.createdAt, 1).sweep();
      await other.query('rollback');
      other.release();
      expect(await stored()).toEqual(['old7']);
    });
  });
});
