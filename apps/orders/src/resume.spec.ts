import { admin, Shop, support } from './testing/shop.js';

describe('checkouts that stopped for one reason', () => {
  let shop: Shop;
  beforeEach(async () => {
    shop = await Shop.open({ SIGNET_CHECKOUT_PATIENCE_SECONDS: '1' });
  });
  afterEach(() => shop.close());

  const resume = (reason: unknown, token = admin) =>
    shop.post('/admin/orders/resume', token, { reason });

  it('go on together when they are resumed, and the others stay as they are', async () => {
    shop.others.fateOf = ({ path }) => (path.includes('reservations') ? 'lost' : undefined);
    const other = await shop.place();
    const { reason } = await shop.becomes(other, 'needs_attention');
    shop.others.fateOf = () => undefined;
    const ids = [await shop.place(), await shop.place()];
    shop.others.payments.refundsFail = true;
    for (const id of ids) {
      await shop.becomes(id, 'confirmed');
      await shop.post(`/admin/orders/${id}/refund`, admin, { reason: 'broken' });
      await shop.becomes(id, 'needs_attention');
    }

    shop.others.payments.refundsFail = false;
    const answer = await resume('refunding the payment failed');
    expect([answer.statusCode, answer.json()]).toEqual([202, { resumed: 2, refused: [] }]);
    for (const id of ids) await shop.becomes(id, 'refunded');
    expect(await shop.read(other)).toMatchObject({ status: 'needs_attention', reason });
    const audit = await shop.service.get('/admin/audit?action=order.resumed', admin);
    expect(audit.json()).toMatchObject({ items: [{ actor: 'the admin' }, {}] });
  });

  it('are named when they go on already', async () => {
    shop.others.fateOf = ({ path }) => (path.includes('payments') ? 'lost' : undefined);
    const id = await shop.place();
    await shop.becomes(id, 'needs_attention');
    expect((await resume('authorizing')).json()).toMatchObject({ resumed: 1 });
    expect((await resume('authorizing')).json()).toMatchObject({ resumed: 0, refused: [] });
    expect((await resume('resumed by an administrator')).json()).toEqual({
      ...{
        resumed: 0,
        refused: [{ id, detail: expect.stringMatching(/^The order is/) as string }],
      },
    });
  });

  it('are resumed by administrators, who say which', async () => {
    expect((await resume('authorizing', support)).statusCode).toBe(403);
    for (const reason of [undefined, '', 7]) expect((await resume(reason)).statusCode).toBe(400);
  });
});

describe('a checkout whose other services stay silent', () => {
  it('needs attention after a while, says why, and goes on when it is resumed', async () => {
    const shop = await Shop.open({ SIGNET_CHECKOUT_PATIENCE_SECONDS: '1' });
    shop.others.fateOf = ({ path }) => (path.includes('payments') ? 'lost' : undefined);
    const id = await shop.place();
    const { reason } = await shop.becomes(id, 'needs_attention');
    expect(reason).toMatch(/^authorizing the payment took too long: /);
    shop.others.fateOf = () => undefined;
    await shop.post(`/admin/orders/${id}/resume`, admin);
    await shop.becomes(id, 'confirmed');
    await shop.close();
  });
});
