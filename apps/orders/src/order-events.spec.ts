import { once } from 'node:events';
import { alice, bob, issuer, Shop, support, until } from './testing/shop.js';

interface Event {
  event: string;
  data: { status?: string; code?: string; id?: string };
}

/** A browser's EventSource, as far as it is needed. */
class Listener {
  readonly events: Event[] = [];
  status = 0;
  isOver = false;
  private readonly aborting = new AbortController();

  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async open(): Promise<this> {
    const response = await fetch(this.url, {
      headers: { authorization: `Bearer ${this.token}` },
      signal: this.aborting.signal,
    });
    this.status = response.status;
    if (response.ok) void this.read(response).catch(() => undefined);
    return this;
  }

  close(): void {
    this.aborting.abort();
  }

  private async read(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      this.events.push(...blocks.flatMap(eventOf));
    }
    this.isOver = true;
  }
}

function eventOf(block: string): Event[] {
  const fields = new Map(
    block.split('\n').map((line) => line.split(/: (.*)/, 2) as [string, string]),
  );
  const data = fields.get('data');
  if (data === undefined) return [];
  return [{ event: fields.get('event') ?? '', data: JSON.parse(data) as Event['data'] }];
}

describe('the events of an order', () => {
  let shop: Shop;
  let address: string;
  const listeners: Listener[] = [];

  beforeEach(async () => {
    shop = await Shop.open();
    await shop.service.app.listen(0, '127.0.0.1');
    address = await shop.service.app.getUrl();
  });

  afterEach(async () => {
    for (const listener of listeners.splice(0)) listener.close();
    await shop.close();
  });

  const listen = async (id: string, token: string): Promise<Listener> => {
    const listener = new Listener(`${address}/orders/${id}/events`, token);
    listeners.push(listener);
    return listener.open();
  };
  const statuses = ({ events }: Listener) => events.map(({ data }) => data.status ?? data.code);

  it('say what it is now, then what becomes of it', async () => {
    const id = await shop.place('tok_requires_review');
    await until(() => shop.others.payments.byOrder.has(id));
    const listener = await listen(id, alice);
    await until(() => listener.events.length === 1);
    shop.others.payments.settle();
    await until(() => listener.events.length === 2);
    expect(statuses(listener)).toEqual(['pending', 'confirmed']);
    expect(listener.events[0]).toMatchObject({ event: 'order', data: { id } });
    expect(listener.events[0]?.data).not.toHaveProperty('customerId');
  });

  it('end when nothing is left to be done for the order, and count no longer', async () => {
    const id = await shop.place('tok_declined');
    await shop.becomes(id, 'rejected');
    for (let turn = 0; turn < 11; turn++) {
      const listener = await listen(id, alice);
      await until(() => listener.isOver);
      expect(listener.status).toBe(200);
      expect(statuses(listener)).toEqual(['rejected', 'final']);
    }
  });

  it('of a cancelled order end when what was taken has been given back', async () => {
    const id = await shop.place('tok_requires_review');
    await until(() => shop.others.payments.byOrder.has(id));
    await shop.post(`/orders/${id}/cancel`, alice);
    const listener = await listen(id, alice);
    await until(() => listener.events.length === 1);
    expect(listener.isOver).toBe(false);
    shop.others.payments.settle();
    await until(() => listener.isOver);
    expect(shop.others.payments.byOrder.get(id)?.status).toBe('canceled');
    expect(statuses(listener)).toEqual(['cancelled', 'cancelled', 'final']);
  });

  it('are for its owner only', async () => {
    const id = await shop.place();
    expect((await listen(id, bob)).status).toBe(404);
    expect((await listen(id, support)).status).toBe(403);
  });

  it('end when the session is revoked', async () => {
    const token = issuer.token({ subject: 'alice', roles: ['customer'], sessionId: 'phone' });
    const id = await shop.place('tok_requires_review');
    const phone = await listen(id, token);
    const laptop = await listen(id, alice);
    await until(() => phone.events.length === 1 && laptop.events.length === 1);
    shop.service.revocations.revoke({ sessionId: 'phone' });
    await until(() => phone.isOver);
    expect(statuses(phone)).toEqual(['pending', 'token_revoked']);
    expect(laptop.isOver).toBe(false);
  });

  it('end when the token expires', async () => {
    const token = issuer.token({ subject: 'alice', roles: ['customer'], lifetime: 1 });
    const listener = await listen(await shop.place(), token);
    await until(() => listener.isOver);
    expect(statuses(listener).at(-1)).toBe('token_expired');
  }, 30_000);

  it('are not listened to any number of times by one customer', async () => {
    const id = await shop.place('tok_requires_review');
    const all = await Promise.all(Array.from({ length: 11 }, () => listen(id, alice)));
    expect(all.filter(({ status }) => status === 429)).toHaveLength(1);
  });

  it('can be asked for with HEAD any number of times, which keeps nothing open', async () => {
    const id = await shop.place('tok_requires_review');
    const url = `${address}/orders/${id}/events`;
    const head = (token: string) =>
      fetch(url, { method: 'HEAD', headers: { authorization: `Bearer ${token}` } });
    for (let turn = 0; turn < 11; turn++) {
      const { status, headers } = await head(alice);
      expect([status, headers.get('content-type')]).toEqual([
        200,
        'text/event-stream; charset=utf-8',
      ]);
    }
    expect((await head(bob)).status).toBe(404);
    expect((await listen(id, alice)).status).toBe(200);
  });

  it('keep no service from stopping', async () => {
    const listener = await listen(await shop.place(), alice);
    await until(() => listener.events.length > 0);
    const server = shop.service.app.getHttpServer();
    const closed = once(server, 'close');
    await shop.service.app.close();
    await closed;
    await until(() => listener.isOver);
  });
});

describe('the events of orders of everybody', () => {
  it('are followed by so many at once and no more', async () => {
    const shop = await Shop.open({ SIGNET_ORDER_STREAMS: '1' });
    await shop.service.app.listen(0, '127.0.0.1');
    const ids = [await shop.place('tok_requires_review'), await shop.place('tok_requires_review')];
    const address = await shop.service.app.getUrl();
    const listeners = ids.map((id) => new Listener(`${address}/orders/${id}/events`, alice));
    for (const listener of listeners) await listener.open();
    expect(listeners.map(({ status }) => status)).toEqual([200, 503]);
    listeners[0]?.close();
    await until(async () => (await listeners[1]?.open())?.status === 200);
    listeners[1]?.close();
    await shop.close();
  });
});
