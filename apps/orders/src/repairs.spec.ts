import { setTimeout as sleep } from 'node:timers/promises';
import { admin, Shop, support, until } from './testing/shop.js';

const PATIENCE_MS = 1_000;

describe('an order that cannot go on for now', () => {
  let shop: Shop;

  beforeEach(async () => {
    shop = await Shop.open({
      SIGNET_CHECKOUT_PATIENCE_SECONDS: String(PATIENCE_MS / 1000),
      SIGNET_CHECKOUT_RETRY_SECONDS: '1',
    });
  });

  afterEach(() => shop.close());

  const stock = (id: string) => shop.others.reservations.byOrder.get(id);
  const money = (id: string) => shop.others.payments.byOrder.get(id);
  const silence = (what: string) => {
    shop.others.fateOf = ({ path }) => (path.startsWith(what) ? 'lost' : undefined);
  };

  async function confirmed(): Promise<string> {
    const id = await shop.place();
    await shop.becomes(id, 'confirmed');
    return id;
  }

  const act = (id: string, action: string, body?: object) =>
    shop.post(`/admin/orders/${id}/${action}`, admin, body);
  const actions = async (id: string) => {
    const audit = await shop.service.get(`/admin/audit?subject=${id}`, admin);
    return audit.json<{ items: { action: string }[] }>().items.map(({ action }) => action);
  };

  describe('because its refund is pending at the provider', () => {
    let id: string;

    beforeEach(async () => {
      shop.others.payments.refundsWait = true;
      id = await confirmed();
      await act(id, 'refund', { reason: 'broken' });
      await until(() => money(id)?.refunds.length === 1);
      await sleep(2 * PATIENCE_MS);
    });

    it('waits longer than for an answer, and is refunded when the refund succeeds', async () => {
      expect(await shop.read(id)).toMatchObject({
        ...{ status: 'confirmed', reason: 'a refund is on its way' },
      });
      expect((await act(id, 'ship')).statusCode).toBe(409);
      shop.others.payments.decideRefunds(id, 'succeeded');
      expect((await shop.becomes(id, 'refunded')).reason).toBe('broken');
      expect(stock(id)).toBe('returned');
      expect(await actions(id)).not.toContain('order.needs_attention');
    });

    it('needs attention when the refund fails', async () => {
      shop.others.payments.decideRefunds(id, 'failed');
      const { reason } = await shop.becomes(id, 'needs_attention');
      expect(reason).toBe('refunding the payment failed: account_closed');
    });
  });

  it.each(['refund', 'cancel'])(
    'because its refund failed (%s) ends when an administrator refunds at payments',
    async (action) => {
      const id = await confirmed();
      shop.others.payments.refundsFail = true;
      await act(id, action, action === 'refund' ? { reason: 'broken' } : undefined);
      await shop.becomes(id, 'needs_attention');
      shop.others.payments.refund(id, 598);
      shop.others.payments.refund(id, 2000, 'pending');
      await sleep(2_000);
      expect((await shop.read(id)).status).toBe('needs_attention');
      shop.others.payments.decideRefunds(id, 'succeeded');
      await shop.becomes(id, action === 'refund' ? 'refunded' : 'cancelled');
      expect(stock(id)).toBe('returned');
      expect(money(id)?.refunded).toBe(2598);
    },
  );

  it('because nobody answered about the capture is refunded when payments pays it back', async () => {
    let isLost = false;
    shop.others.fateOf = ({ path }) => {
      if (!/capture$|orderId=/.test(path)) return undefined;
      if (isLost) return 'lost';
      isLost = true;
      return 'answer_lost';
    };
    const id = await shop.place();
    await shop.becomes(id, 'needs_attention');
    shop.others.fateOf = ({ path }) => (path.endsWith('capture') ? 'lost' : undefined);
    shop.others.payments.refund(id, 2598);
    expect((await shop.becomes(id, 'refunded')).reason).toBe('the payment was refunded');
    expect(stock(id)).toBe('returned');
  });

  it.each([
    ['inventory', '/internal/reservations'],
    ['payments', '/internal/payments'],
    ['auth', '/oauth/token'],
  ])('because %s was silent goes on by itself when it is back', async (_, path) => {
    silence(path);
    const id = await shop.place();
    await shop.becomes(id, 'needs_attention');
    await sleep(3_000);
    expect((await actions(id)).filter((action) => action === 'order.needs_attention')).toHaveLength(
      1,
    );
    shop.others.fateOf = () => undefined;
    await shop.becomes(id, 'confirmed');
  });

  it('because the bank had not decided ends when it has', async () => {
    const id = await shop.place('tok_requires_review');
    await shop.becomes(id, 'needs_attention');
    shop.others.reservations.expire();
    shop.others.payments.settle();
    expect((await shop.becomes(id, 'rejected')).reason).toBe('the items were not held any longer');
    expect(money(id)?.status).toBe('canceled');
  });

  it('because a refund failed is not paid back again before somebody says so', async () => {
    const id = await confirmed();
    shop.others.payments.refundsFail = true;
    await act(id, 'refund', { reason: 'broken' });
    await shop.becomes(id, 'needs_attention');
    shop.others.payments.refundsFail = false;
    await sleep(3_000);
    expect(money(id)?.refunds).toHaveLength(1);
    await act(id, 'resume');
    await shop.becomes(id, 'refunded');
  });

  it('because its refund failed ends when somebody says how it was settled', async () => {
    const id = await confirmed();
    const reason = { reason: 'bank transfer 4711' };
    expect((await act(id, 'settle', reason)).statusCode).toBe(409);
    shop.others.payments.refundsFail = true;
    await act(id, 'refund', { reason: 'broken' });
    await shop.becomes(id, 'needs_attention');
    expect((await shop.post(`/admin/orders/${id}/settle`, support, reason)).statusCode).toBe(403);
    expect((await act(id, 'settle', {})).statusCode).toBe(400);

    expect((await act(id, 'settle', reason)).statusCode).toBe(202);
    expect((await shop.becomes(id, 'refunded')).reason).toBe('broken');
    expect(stock(id)).toBe('returned');
    const audit = await shop.service.get(`/admin/audit?subject=${id}&action=order.settled`, admin);
    expect(audit.json()).toMatchObject({
      items: [
        { actor: 'the admin', details: { after: { reason: 'settled: bank transfer 4711' } } },
      ],
    });
    // News of the refund that failed change nothing any more.
    await sleep(2_500);
    expect((await shop.read(id)).status).toBe('refunded');
  });

  it('because nobody answered about its refund is not settled by what somebody says', async () => {
    const id = await confirmed();
    shop.others.fateOf = ({ path }) => (path.endsWith('refunds') ? 'answer_lost' : undefined);
    await act(id, 'refund', { reason: 'broken' });
    await shop.becomes(id, 'needs_attention');
    expect((await act(id, 'settle', { reason: 'cash' })).json()).toMatchObject({
      ...{ status: 409, code: 'invalid_transition' },
    });
  });

  it('is cancelled by an administrator all the same, while it is tried again', async () => {
    silence('/internal/payments');
    const id = await shop.place();
    await shop.becomes(id, 'needs_attention');
    expect((await act(id, 'cancel')).statusCode).toBe(200);
    shop.others.fateOf = () => undefined;
    await until(() => stock(id) === 'released');
    expect((await shop.read(id)).status).toBe('cancelled');
  });
});
