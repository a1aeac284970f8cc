import { sql } from 'drizzle-orm';
import { startAuth } from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';
import { UnitOfWork } from './unit-of-work.js';

let auth: RunningAuth;
let unit: UnitOfWork;

beforeAll(async () => {
  auth = await startAuth({ environment: { DATABASE_POOL_SIZE: '2' } });
  unit = auth.app.get(UnitOfWork);
  await auth.query('create table notes (note text not null unique)');
});

beforeEach(() => auth.query('delete from notes'));

const insert = (note: string | null) => sql`insert into notes values (${note})`;

const notes = async () =>
  (await auth.query<{ note: string }>('select note from notes order by note')).map(
    ({ note }) => note,
  );

describe('what the engine writes for one request', () => {
  it('is all there afterwards, what was to be written last included', async () => {
    await unit.run(async () => {
      await unit.writeLast((transaction) => transaction.execute(insert('last')));
      await unit.write((transaction) => transaction.execute(insert('first')));
      await unit.writeLast((transaction) => transaction.execute(insert('very last')));
    });
    expect(await notes()).toEqual(['first', 'last', 'very last']);
  });

  it('is not there when what was to be written last fails, and whoever asked is told', async () => {
    const work = unit.run(async () => {
      await unit.write((transaction) => transaction.execute(insert('first')));
      await unit.writeLast((transaction) => transaction.execute(insert(null)));
    });
    await expect(work).rejects.toThrow();
    expect(await notes()).toEqual([]);
  });

  it('is seen by what is read later in the same request, and by nobody else before', async () => {
    await unit.run(async () => {
      await unit.write((transaction) => transaction.execute(insert('mine')));
      await unit.writeLast((transaction) => transaction.execute(insert('mine too')));
      const { rowCount } = await unit.read((executor) => executor.execute(sql`select from notes`));
      expect(rowCount).toBe(2);
      expect(await notes()).toEqual([]);
    });
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a query fails', () => unit.write((transaction) => transaction.execute(insert(null)))],
    ['the work fails', () => Promise.reject(new Error('no'))],
    [
      'a query cannot even be sent',
      () =>
        unit.write(() => {
          throw new Error('no');
        }),
    ],
  ])('is gone, and every connection free again, when %s', async (_what, failing) => {
    for (let time = 0; time < 5; time++) {
      const work = unit.run(async () => {
        await unit.write((transaction) => transaction.execute(insert(`note ${time}`)));
        await failing();
      });
      await expect(work).rejects.toThrow();
    }
    expect(await notes()).toEqual([]);
    await unit.run(() => unit.write((transaction) => transaction.execute(insert('next'))));
    expect(await notes()).toEqual(['next']);
  });
});
