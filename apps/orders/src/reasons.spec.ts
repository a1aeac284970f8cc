import { alice, admin, Shop, support } from './testing/shop.js';

const TECHNICAL = /internal\/|token|ECONN|fetch|timeout|aborted|127\.0\.0\.1|urn:/i;

describe('why an order needs attention', () => {
  it('is for those who see to it; its customer hears that somebody does', async () => {
    const shop = await Shop.open({ SIGNET_CHECKOUT_PATIENCE_SECONDS: '1' });
    await shop.service.app.listen(0, '127.0.0.1');
    shop.others.fateOf = ({ path }) => (path.includes('payments') ? 'lost' : undefined);
    const id = await shop.place();
    await shop.becomes(id, 'needs_attention');

    for (const token of [admin, support]) {
      const { reason } = (await shop.service.get(`/admin/orders/${id}`, token)).json<{
        reason: string;
      }>();
      expect(reason).toMatch(/^authorizing the payment took too long: .*internal\/payments/);
    }
    const own = (await shop.service.get(`/orders/${id}`, alice)).json<object>();
    const { items } = (await shop.service.get('/orders', alice)).json<{ items: object[] }>();
    const said = 'something went wrong, and we are looking into it';
    expect([own, items[0]]).toEqual([
      expect.objectContaining({ status: 'needs_attention', reason: said }),
      expect.objectContaining({ status: 'needs_attention', reason: said }),
    ]);

    const url = `${await shop.service.app.getUrl()}/orders/${id}/events`;
    const stream = await fetch(url, { headers: { authorization: `Bearer ${alice}` } });
    const chunks = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    const shown = String((await chunks?.read())?.value);
    expect(shown).toContain(said);
    for (const text of [JSON.stringify(own), JSON.stringify(items), shown]) {
      expect(text.replaceAll(id, '')).not.toMatch(TECHNICAL);
    }
    await shop.close();
  });
});
