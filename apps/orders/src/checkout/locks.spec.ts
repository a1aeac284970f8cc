import pg from 'pg';
import { Shop, until } from '../testing/shop.js';

describe('a checkout that waits for another service', () => {
  let shop: Shop;
  let database: pg.Client;

  beforeAll(async () => {
    shop = await Shop.open();
    database = new pg.Client(shop.service.databaseUrl);
    await database.connect();
  });

  afterAll(async () => {
    await database.end();
    await shop.close();
  });

  it.each([
    ['the hold', /^PUT \/internal\/reservations/],
    ['the payment', /^POST \/internal\/payments$/],
    ['the capture', /capture$/],
  ])('for %s keeps neither its order nor its saga locked', async (_what, call) => {
    let calls = 0;
    shop.others.fateOf = ({ method, path }) =>
      call.test(`${method} ${path}`) && ++calls === 1 ? 'never' : undefined;
    const id = await shop.place();
    await until(() => calls === 1);

    for (const rows of ['orders where id', 'sagas where order_id']) {
      const locked = await database.query(`select 1 from ${rows} = $1 for update nowait`, [id]);
      expect(locked.rows).toHaveLength(1);
    }
    expect((await shop.read(id)).status).toBe('pending');
    await shop.becomes(id, 'confirmed');
  });
});
