import { IN_USE_SECONDS } from './testing/stand-in-services.js';
import type { Fate } from './testing/stand-in-services.js';
import { admin, alice, bob, Shop, support, until } from './testing/shop.js';

describe('a checkout', () => {
  let shop: Shop;

  beforeEach(async () => {
    shop = await Shop.open();
  });

  afterEach(() => shop.close());

  const money = (id: string) => {
    const payment = shop.others.payments.byOrder.get(id);
    return payment && { status: payment.status, kept: payment.captured - payment.refunded };
  };
  const stock = (id: string) => shop.others.reservations.byOrder.get(id);
  const callsTo = (path: RegExp) => shop.others.calls.filter((call) => path.test(call.path));

  it('confirms the order when goods and money are there', async () => {
    const id = await shop.place();
    await shop.becomes(id, 'confirmed');
    expect(money(id)).toEqual({ status: 'succeeded', kept: 2598 });
    expect(stock(id)).toBe('committed');
  });

  it('reads prices as the service it is, once it has a token, and without one before', async () => {
    await shop.becomes(await shop.place(), 'confirmed');
    await shop.place();
    const shown = callsTo(/^.products/).map(({ headers }) => headers.authorization);
    expect(shown).toEqual([undefined, expect.stringMatching(/^Bearer urn:signet:inventory/)]);
  });

  it('takes no money for what costs none', async () => {
    const id = await shop.place('tok_ok', 'GIFT');
    await shop.becomes(id, 'confirmed');
    expect(money(id)).toBeUndefined();
    expect(stock(id)).toBe('committed');
  });

  it('rejects the order, and gives the goods back, when the card is declined', async () => {
    const id = await shop.place('tok_declined');
    const { reason } = await shop.becomes(id, 'rejected');
    expect(reason).toBe('the payment was declined (card_declined)');
    expect(stock(id)).toBe('released');
  });

  it('rejects the order, and asks for no money, when there is not enough', async () => {
    shop.others.reservations.left = 0;
    const { reason } = await shop.becomes(await shop.place(), 'rejected');
    expect(reason).toBe('not enough in stock: MUG (0 of 2)');
    expect(callsTo(/internal\/payments/)).toEqual([]);
  });

  it('voids the payment when the hold has lapsed while the bank was thinking', async () => {
    const id = await shop.place('tok_requires_review');
    await until(() => money(id) !== undefined);
    shop.others.reservations.expire();
    shop.others.payments.settle();
    const { reason } = await shop.becomes(id, 'rejected');
    expect(reason).toBe('the items were not held any longer');
    expect(money(id)).toEqual({ status: 'canceled', kept: 0 });
  });

  it.each(['lost', 'answer_lost'] as const)(
    'charges once and confirms though the first of each call is %s',
    async (fate) => {
      const seen = new Set<string>();
      shop.others.fateOf = ({ method, path }): Fate => {
        if (!path.startsWith('/internal') || seen.has(`${method} ${path}`)) return undefined;
        seen.add(`${method} ${path}`);
        return fate;
      };
      const id = await shop.place();
      await shop.becomes(id, 'confirmed');
      expect(money(id)).toEqual({ status: 'succeeded', kept: 2598 });
      expect(shop.others.reservations.left).toBe(999);
    },
  );

  it('waits as long as it is told to when its own first request is still being answered', async () => {
    const asked: number[] = [];
    shop.others.fateOf = ({ method, path }) => {
      if (method !== 'POST' || path !== '/internal/payments') return undefined;
      asked.push(Date.now());
      return asked.length < 3 ? 'in_use' : undefined;
    };
    await shop.becomes(await shop.place(), 'confirmed');
    const [first = 0, second = 0, third = 0] = asked;
    // Clocks of timers are a little early now and then.
    const atLeast = IN_USE_SECONDS * 1000 - 50;
    expect([second - first >= atLeast, third - second >= atLeast]).toEqual([true, true]);
    expect(asked).toHaveLength(3);
  });

  it('calls others in its own name, and says for whom', async () => {
    await shop.becomes(await shop.place(), 'confirmed');
    for (const { headers } of callsTo(/internal/)) {
      expect(headers['signet-actor']).toBe('sub=alice&roles=customer');
      expect(headers.authorization).not.toContain(alice);
    }
    expect(shop.others.tokens).toBe(2);
  });

  it('of which a customer thinks better is undone, whatever was done by then', async () => {
    const id = await shop.place('tok_requires_review');
    await until(() => money(id) !== undefined);
    const cancelled = await shop.post(`/orders/${id}/cancel`, alice);
    expect(cancelled.json()).toMatchObject({ status: 'cancelled' });
    shop.others.payments.settle();
    await until(() => money(id)?.status === 'canceled' && stock(id) === 'released');
    expect((await shop.read(id)).status).toBe('cancelled');
  });

  it('has one winner when the customer cancels while it is confirmed', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => shop.place()));
    const cancels = await Promise.all(ids.map((id) => shop.post(`/orders/${id}/cancel`, alice)));
    for (const [index, id] of ids.entries()) {
      const won = cancels[index]?.statusCode === 200;
      await shop.becomes(id, won ? 'cancelled' : 'confirmed');
      await until(() => (money(id)?.kept ?? 0) === (won ? 0 : 2598));
      await until(() => (stock(id) === 'committed') === !won);
    }
  });

  it('is not undone by customers once the order is confirmed, but by an administrator', async () => {
    const id = await shop.place();
    await shop.becomes(id, 'confirmed');
    expect((await shop.post(`/orders/${id}/cancel`, alice)).statusCode).toBe(409);
    expect((await shop.post(`/admin/orders/${id}/cancel`, admin)).statusCode).toBe(200);
    await until(() => money(id)?.kept === 0 && stock(id) === 'returned');
  });

  it('stops for a human when a refund fails, and goes on when told to', async () => {
    const id = await shop.place();
    await shop.becomes(id, 'confirmed');
    shop.others.payments.refundsFail = true;
    const asked = await shop.post(`/admin/orders/${id}/refund`, admin, { reason: 'broken' });
    expect(asked.statusCode).toBe(202);
    const { reason } = await shop.becomes(id, 'needs_attention');
    expect(reason).toBe('refunding the payment failed: account_closed');
    expect((await shop.post(`/admin/orders/${id}/resume`, support)).statusCode).toBe(403);

    shop.others.payments.refundsFail = false;
    expect((await shop.post(`/admin/orders/${id}/resume`, admin)).statusCode).toBe(202);
    await shop.becomes(id, 'refunded');
    expect(money(id)?.kept).toBe(0);
    expect(stock(id)).toBe('returned');
  });

  it('says why it stopped each time that it stops', async () => {
    const id = await shop.place();
    await shop.becomes(id, 'confirmed');
    shop.others.payments.refundsFail = true;
    await shop.post(`/admin/orders/${id}/refund`, admin, { reason: 'broken' });
    await shop.becomes(id, 'needs_attention');
    const before = await shop.version(id);
    await shop.post(`/admin/orders/${id}/resume`, admin);
    const stopped = 'refunding the payment failed: account_closed';
    await until(async () => (await shop.read(id)).reason === stopped);
    expect(await shop.version(id)).not.toBe(before);
    const { items } = (await shop.service.get(`/admin/audit?subject=${id}`, admin)).json<{
      items: { action: string }[];
    }>();
    expect(items.map(({ action }) => action).slice(0, 3)).toEqual([
      ...['order.needs_attention', 'order.resumed', 'order.needs_attention'],
    ]);
  });

  it('tells its customer which payment it is', async () => {
    const id = await shop.place();
    await shop.becomes(id, 'confirmed');
    const paymentId = shop.others.payments.byOrder.get(id)?.id;
    expect((await shop.service.get(`/orders/${id}`, alice)).json()).toMatchObject({ paymentId });
    expect((await shop.service.get('/orders', alice)).json()).toMatchObject({
      items: [{ paymentId }],
    });
    expect(await shop.read(id)).toMatchObject({ paymentId });
    const free = await shop.place('tok_ok', 'GIFT');
    expect(await shop.becomes(free, 'confirmed')).not.toHaveProperty('paymentId');
  });

  it('says what else can be done when something cannot', async () => {
    const id = await shop.place();
    await shop.becomes(id, 'confirmed');
    const detail = async (path: string, token: string, body?: object) =>
      (await shop.post(path, token, body)).json<{ detail: string }>().detail;
    const reason = { reason: 'broken' };
    expect(await detail(`/orders/${id}/cancel`, alice)).toBe(
      'The order is confirmed; here only pending can become cancelled.',
    );
    shop.others.payments.refundsFail = true;
    await shop.post(`/admin/orders/${id}/refund`, admin, reason);
    await shop.becomes(id, 'needs_attention');
    expect(await detail(`/admin/orders/${id}/refund`, admin, reason)).toBe(
      'The order is needs_attention; here only confirmed or shipped can become refunded. ' +
        `POST /admin/orders/${id}/resume goes on from where it stopped; ` +
        `POST /admin/orders/${id}/cancel gives everything back.`,
    );

    const shipped = await shop.place();
    await shop.becomes(shipped, 'confirmed');
    await shop.post(`/admin/orders/${shipped}/ship`, admin);
    expect(await detail(`/admin/orders/${shipped}/cancel`, admin)).toContain(
      `Use POST /admin/orders/${shipped}/refund.`,
    );
    await shop.post(`/admin/orders/${shipped}/refund`, admin, reason);
    await shop.becomes(shipped, 'needs_attention');
    expect(await detail(`/admin/orders/${shipped}/cancel`, admin)).toBe(
      'The goods have been shipped, so the order cannot be cancelled. ' +
        `POST /admin/orders/${shipped}/resume goes on with its refund.`,
    );
  });

  it('changes nothing for an administrator who has read an older version', async () => {
    const id = await shop.place();
    const old = await shop.version(id);
    await shop.becomes(id, 'confirmed');
    const headers = { authorization: `Bearer ${admin}`, 'idempotency-key': 'k', 'if-match': old };
    const url = `/admin/orders/${id}/ship`;
    const refused = await shop.service.app.inject({ method: 'POST', url, headers });
    expect(refused.statusCode).toBe(412);
    const now = { ...headers, 'if-match': await shop.version(id) };
    const shipped = await shop.service.app.inject({ method: 'POST', url, headers: now });
    expect(shipped.json()).toMatchObject({ status: 'shipped' });
  });

  it('has another entity tag as soon as it shows its payment', async () => {
    shop.others.fateOf = ({ path }) => (path.includes('payments') ? 'lost' : undefined);
    const id = await shop.place('tok_requires_review');
    const before = await shop.version(id);
    shop.others.fateOf = () => undefined;
    await until(async () => (await shop.read(id)).paymentId !== undefined);
    const headers = { authorization: `Bearer ${admin}`, 'if-none-match': before };
    const seen = await shop.service.app.inject({ url: `/admin/orders/${id}`, headers });
    expect(seen.json()).toMatchObject({ status: 'pending' });
    expect(seen.headers.etag).toBe(await shop.version(id));
    expect(seen.headers.etag).not.toBe(before);
  });

  it('is found in lists by state and time, and only its own in a customer’s', async () => {
    const id = await shop.place();
    await shop.becomes(id, 'confirmed');
    const list = async (query: string, token: string) => {
      const { items } = (await shop.service.get(`/${query}`, token)).json<{ items: object[] }>();
      return items.length;
    };
    const hour = 3_600_000;
    const before = encodeURIComponent(new Date(Date.now() - hour).toISOString());
    expect(await list('orders?status=confirmed', alice)).toBe(1);
    expect(await list('orders?status=pending', alice)).toBe(0);
    expect(await list('orders', bob)).toBe(0);
    expect(await list(`admin/orders?from=${before}`, support)).toBe(1);
    expect(await list(`admin/orders?to=${before}`, support)).toBe(0);
  });

  it('leaves a record of what was changed, by whom', async () => {
    const id = await shop.place();
    await shop.becomes(id, 'confirmed');
    await shop.post(`/admin/orders/${id}/ship`, admin);
    const audit = await shop.service.get(`/admin/audit?subject=${id}`, admin);
    expect(audit.json()).toMatchObject({
      items: [
        {
          ...{ action: 'order.shipped', actor: 'the admin' },
          details: { before: { status: 'confirmed' }, after: { status: 'shipped' } },
        },
        { action: 'order.confirmed', actor: null, details: { onBehalfOf: { sub: 'alice' } } },
      ],
    });
    expect((await shop.service.get('/admin/audit', support)).statusCode).toBe(403);
  });
});
