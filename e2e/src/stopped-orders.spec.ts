import type { System } from '@signet/launcher';
import { setTimeout as sleep } from 'node:timers/promises';
import { startThrowAwaySystem } from './system/throw-away-system.ts';
import { clientOf } from './system/world.ts';
import type { Answer, Client } from './system/world.ts';

const PATIENCE_SECONDS = 3;
/** Longer than the patience. */
const REFUND_MS = 8_000;
const SLOW_MS = 4_000;

describe('orders of a shop whose provider takes its time', () => {
  let system: System;
  let client: Client;
  let sku: string;
  const log: string[] = [];

  beforeAll(async () => {
    system = await startThrowAwaySystem({
      variables: {
        SIGNET_CHECKOUT_PATIENCE_SECONDS: String(PATIENCE_SECONDS),
        SIGNET_SANDBOX_CHAOS: JSON.stringify({
          ...{ pendingRefunds: 1, reviewMs: REFUND_MS, slowMs: SLOW_MS },
        }),
      },
      onLog: (service, { text }) => service === 'orders' && log.push(text),
    });
    client = clientOf(system);
    sku = await client.newProduct();
  });

  afterAll(() => system.stop());

  const place = async (token: string, paymentMethod: string): Promise<string> => {
    const body = { items: [{ sku, quantity: 1 }], paymentMethod };
    return (await client.call('orders', 'POST /orders', { token, body })).body.id as string;
  };

  async function settled(token: string, id: string, from: string): Promise<Answer['body']> {
    for (;;) {
      const { body } = await client.call('orders', `GET /orders/${id}`, { token });
      if (body.status !== from) return body;
      await sleep(100);
    }
  }

  it('are refunded when the refund is, however long the bank takes', async () => {
    const [{ access_token: token }, admin] = [
      await client.register(),
      await client.tokenOf('admin'),
    ];
    const id = await place(token, 'tok_ok');
    await settled(token, id, 'pending');
    const body = { reason: 'arrived broken' };
    await client.call('orders', `POST /admin/orders/${id}/refund`, { token: admin, body });
    expect(await settled(token, id, 'confirmed')).toMatchObject({
      ...{ status: 'refunded', reason: 'arrived broken' },
    });
  });

  it('keep no other customer from buying when many are cancelled while they are paid', async () => {
    const [{ access_token: hasty }, { access_token: victim }] = await Promise.all([
      client.register(),
      client.register(),
    ]);
    const ids = await Promise.all(Array.from({ length: 12 }, () => place(hasty, 'tok_slow')));
    await sleep(500);
    await Promise.all(
      ids.map((id) => client.call('orders', `POST /orders/${id}/cancel`, { token: hasty })),
    );
    await sleep(700);
    const id = await place(victim, 'tok_ok');
    expect(await settled(victim, id, 'pending')).toMatchObject({ status: 'confirmed' });
    expect(log.filter((line) => line.includes('left alone'))).toEqual([]);
    expect(log.some((line) => line.includes('idempotency_key_in_use'))).toBe(true);
  });
});
