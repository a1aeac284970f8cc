import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { newPayment, startPayments } from '../testing/running-payments.js';
import type { RunningPayments } from '../testing/running-payments.js';
import { startSandbox } from '../testing/running-sandbox.js';
import type { RunningSandbox } from '../testing/running-sandbox.js';

describe('while the provider thinks', () => {
  let sandbox: RunningSandbox;
  let payments: RunningPayments;
  let database: pg.Client;

  beforeAll(async () => {
    sandbox = await startSandbox();
    payments = await startPayments(sandbox.url, {
      SIGNET_PROVIDER_DEADLINE_MS: '10000',
      SIGNET_RECONCILE_AFTER_MS: '15000',
    });
    database = new pg.Client(payments.service.databaseUrl);
    await database.connect();
  });

  afterAll(async () => {
    await database.end();
    await payments.close();
    await sandbox.remove();
  });

  const STEPS = {
    authorization: (order: string) => payments.authorize({ orderId: order }),
    capture: async (order: string) => payments.capture(await idOf(order)),
    void: async (order: string) => payments.void(await idOf(order)),
    refund: async (order: string) => payments.refund(await idOf(order)),
  };

  async function idOf(orderId: string): Promise<string> {
    const { rows } = await database.query<{ id: string }>(
      'select id from payments where order_id = $1',
      [orderId],
    );
    return rows[0]?.id ?? '';
  }

  async function isOpen(orderId: string): Promise<boolean> {
    const open = `select 1 from attempts where status = 'open' and payment_id = any (
      select id from payments where order_id = $1)`;
    return (await database.query(open, [orderId])).rows.length > 0;
  }

  it.each(['authorization', 'capture', 'void', 'refund'] as const)(
    'about the %s of a payment, nothing of it is locked',
    async (step) => {
      const orderId = newPayment().orderId;
      if (step !== 'authorization') await payments.authorize({ orderId });
      if (step === 'refund') await payments.capture(await idOf(orderId));
      await sandbox.chaos({ delayAnswers: 1, delayMs: 1500 });
      const answer = STEPS[step](orderId);
      while (!(await isOpen(orderId))) await sleep(20);

      const rows = `select id from payments where order_id = $1 for update nowait`;
      expect((await database.query(rows, [orderId])).rows).toHaveLength(1);
      expect(await isOpen(orderId)).toBe(true);

      expect((await answer).status).toBeLessThan(300);
      await sandbox.chaos({});
    },
    20_000,
  );

  it('about many payments, others are answered all the same', async () => {
    await sandbox.chaos({ slowMs: 4000 });
    let thinking = 30;
    const slow = Array.from({ length: thinking }, async () => {
      await payments.authorize({ paymentMethod: 'tok_slow' });
      thinking -= 1;
    });
    const open = `select 1 from attempts where status = 'open'`;
    while ((await database.query(open)).rows.length < slow.length) await sleep(20);
    expect((await payments.authorize()).body.status).toBe('requires_capture');
    expect(thinking).toBe(slow.length);
    await Promise.all(slow);
    await sandbox.chaos({});
  }, 20_000);
});
