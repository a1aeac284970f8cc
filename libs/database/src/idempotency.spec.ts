import { Problem } from '@signet/http';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { IdempotencyService } from './idempotency.service.js';
import type { IdempotentRequest } from './idempotency.service.js';
import { createTestDatabase } from './testing/index.js';
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
});
