import { admin, Shop, until } from './testing/shop.js';

describe('refunds that are made at payments', () => {
  let shop: Shop;

  beforeEach(async () => {
    shop = await Shop.open();
  });

  afterEach(() => shop.close());

  const stock = (id: string) => shop.others.reservations.byOrder.get(id);
  const act = (id: string, action: string, body?: object) =>
    shop.post(`/admin/orders/${id}/${action}`, admin, body);

  async function confirmed(): Promise<string> {
    const id = await shop.place();
    await shop.becomes(id, 'confirmed');
    return id;
  }

  it('of everything make the order refunded, and its goods come back', async () => {
    const id = await confirmed();
    shop.others.payments.refund(id, 2598);
    const { reason } = await shop.becomes(id, 'refunded');
    expect(reason).toBe('the payment was refunded');
    expect(stock(id)).toBe('returned');
  });

  it('of everything make an order refunded that was shipped before', async () => {
    const id = await confirmed();
    await act(id, 'ship');
    shop.others.payments.refund(id, 2598);
    await shop.becomes(id, 'refunded');
    expect(stock(id)).toBe('committed');
  });

  it.each(['succeeded', 'pending'] as const)(
    'keep goods from being sent when they take everything and are %s',
    async (status) => {
      const id = await confirmed();
      shop.others.payments.refund(id, 2598, status);
      const refused = await act(id, 'ship');
      expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([
        409,
        expect.stringMatching(/^(payment_refunded|invalid_transition)$/),
      ]);
      expect((await shop.read(id)).status).not.toBe('shipped');
    },
  );

  it('of a part leave the order as it is: it can be shipped', async () => {
    const id = await confirmed();
    shop.others.payments.refund(id, 98);
    expect((await act(id, 'ship')).json()).toMatchObject({ status: 'shipped' });
  });

  it('let nothing be shipped while payments cannot say what is paid', async () => {
    const id = await confirmed();
    shop.others.fateOf = ({ path }) => (path.includes('payments') ? 'lost' : undefined);
    expect((await act(id, 'ship')).json()).toMatchObject({
      ...{ status: 503, code: 'payments_unavailable' },
    });
    shop.others.fateOf = () => undefined;
    expect((await act(id, 'ship')).statusCode).toBe(200);
  });

  it('of a part that fail after the rest was paid back need attention, until all is', async () => {
    const id = await confirmed();
    shop.others.payments.refund(id, 598, 'pending');
    await act(id, 'refund', { reason: 'broken' });
    await until(() => shop.others.payments.byOrder.get(id)?.refunded === 2000);
    expect((await shop.read(id)).status).toBe('confirmed');
    shop.others.payments.decideRefunds(id, 'failed');
    const { reason } = await shop.becomes(id, 'needs_attention');
    expect(reason).toBe('refunding the payment failed: account_closed');
    await act(id, 'resume');
    await shop.becomes(id, 'refunded');
    expect(shop.others.payments.byOrder.get(id)?.refunded).toBe(2598);
  });

  it('do not keep an order from being refunded when they succeed in the end', async () => {
    const id = await confirmed();
    shop.others.payments.refund(id, 598, 'pending');
    await act(id, 'refund', { reason: 'broken' });
    await until(() => shop.others.payments.byOrder.get(id)?.refunded === 2000);
    shop.others.payments.decideRefunds(id, 'succeeded');
    expect((await shop.becomes(id, 'refunded')).reason).toBe('broken');
  });
});

describe('a refund that the bank sends back after it had succeeded', () => {
  let shop: Shop;

  beforeEach(async () => {
    shop = await Shop.open();
  });

  afterEach(() => shop.close());

  it.each([
    ['refunded', 'refund'],
    ['cancelled', 'cancel'],
  ])('makes a %s order need attention, and it can be refunded again', async (status, action) => {
    const id = await shop.place();
    await shop.becomes(id, 'confirmed');
    const reason = { reason: 'broken' };
    await shop.post(
      `/admin/orders/${id}/${action}`,
      admin,
      action === 'refund' ? reason : undefined,
    );
    await until(() => shop.others.reservations.byOrder.get(id) === 'returned');
    await shop.becomes(id, status);
    shop.others.payments.sendBack(id);
    const halted = await shop.becomes(id, 'needs_attention');
    expect(halted.reason).toBe('refunding the payment failed: account_closed');
    const { items } = (await shop.service.get(`/admin/audit?subject=${id}`, admin)).json<{
      items: object[];
    }>();
    expect(items[0]).toMatchObject({ action: 'order.needs_attention', actor: null });

    await shop.post(`/admin/orders/${id}/resume`, admin);
    await shop.becomes(id, status);
    expect(shop.others.payments.byOrder.get(id)?.refunded).toBe(2598);
  });

  it('is heard of by a service that was away meanwhile', async () => {
    const id = await shop.place();
    await shop.becomes(id, 'confirmed');
    shop.others.fateOf = ({ path }) => (path.includes('refund-changes') ? 'lost' : undefined);
    shop.others.payments.refund(id, 2598);
    const late = await shop.place();
    await shop.becomes(late, 'confirmed');
    expect((await shop.read(id)).status).toBe('confirmed');
    shop.others.fateOf = () => undefined;
    await shop.becomes(id, 'refunded');
  });
});

describe('payments that says nothing at all', () => {
  it('keeps whoever ships waiting for one short try', async () => {
    const shop = await Shop.open({ SIGNET_SERVICE_TIMEOUT_MS: '60000' });
    const id = await shop.place();
    await shop.becomes(id, 'confirmed');
    const asked = () =>
      shop.others.calls.filter(({ path }) => /payments\/[^?]+$/.test(path)).length;
    const before = asked();
    shop.others.fateOf = ({ path }) => (path.includes('payments') ? 'never' : undefined);
    expect((await shop.post(`/admin/orders/${id}/ship`, admin)).json()).toMatchObject({
      ...{ status: 503, code: 'payments_unavailable' },
    });
    expect(asked() - before).toBeLessThanOrEqual(2);
    await shop.close();
  }, 20_000);
});
