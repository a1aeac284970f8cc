import type { RunningService, System } from '@signet/launcher';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { discrepancies, report } from './chaos/books.ts';
import type { Books } from './chaos/books.ts';
import { bookkeeping } from './chaos/bookkeeper.ts';
import { planOf } from './chaos/plan.ts';
import type { Checkout, Plan } from './chaos/plan.ts';
import { Shopper } from './chaos/shopper.ts';
import type { Placed } from './chaos/shopper.ts';
import { startThrowAwaySystem } from './system/throw-away-system.ts';
import { clientOf } from './system/world.ts';
import type { Client } from './system/world.ts';

/**
 * `SIGNET_CHAOS_SEED` runs the plan of an earlier run again, `SIGNET_CHAOS_CHECKOUTS` a longer one
 * (a kill for every 5 checkouts).
 */
const SEED = Number(process.env.SIGNET_CHAOS_SEED ?? randomInt(2 ** 31));
const CHECKOUTS = Number(process.env.SIGNET_CHAOS_CHECKOUTS ?? 40);
const SIZE = { checkouts: CHECKOUTS, kills: Math.ceil(CHECKOUTS / 5), customers: 8, products: 4 };
/** Few enough that some orders find the shelf empty. */
const UNITS = Math.ceil(CHECKOUTS * 0.6);
const SHOPPERS_AT_ONCE = 6;
const SETTLED_WITHIN_MS = 180_000;

const MISHAPS = {
  ...{ seed: SEED, loseRequests: 0.05, loseAnswers: 0.1, delayAnswers: 0.1, delayMs: 3_000 },
  ...{ declines: 0.05, duplicateWebhooks: 0.3, webhookDelayMs: 1_500, pendingRefunds: 0.3 },
};

jest.setTimeout(SETTLED_WITHIN_MS + CHECKOUTS * 3_000 + 60_000);

describe(`checkouts while processes are killed and the provider misbehaves (seed ${SEED})`, () => {
  let system: System;
  let client: Client;
  let shopper: Shopper;
  let skus: string[];
  let plan: Plan;
  let books: Books;
  const placed: { path: string; sent: Placed }[] = [];

  beforeAll(async () => {
    plan = planOf(SEED, SIZE);
    system = await startThrowAwaySystem({
      variables: {
        SIGNET_SANDBOX_CHAOS: JSON.stringify(MISHAPS),
        SIGNET_PROVIDER_DEADLINE_MS: '2000',
        SIGNET_RECONCILE_AFTER_MS: '3000',
      },
      onLog: () => undefined,
    });
    client = clientOf(system);
    shopper = new Shopper(client);
    skus = await Promise.all(Array.from({ length: SIZE.products }, () => client.newProduct(UNITS)));
    const customers = await Promise.all(
      Array.from({ length: SIZE.customers }, () => client.register()),
    );
    const admin = await client.tokenOf('admin');
    const tokens = customers.map(({ access_token }) => access_token);
    await Promise.all([
      killAsPlanned(),
      inParallel(SHOPPERS_AT_ONCE, plan.checkouts, (checkout) => shop(checkout, tokens, admin)),
    ]);
    books = await settledBooks();
    process.stderr.write(
      `Chaos, seed ${SEED}: ${CHECKOUTS} checkouts, ${plan.kills.length} kills\n${report(books)}\n`,
    );
  });

  afterAll(() => system.stop());

  it('leaves no order undecided, no money astray and no stock held', () => {
    expect(books.orders).toHaveLength(CHECKOUTS);
    expect(discrepancies(books)).toEqual([]);
  });

  it('confirms what can be confirmed', () => {
    const confirmed = books.orders.filter(({ status }) => status === 'confirmed');
    expect(confirmed.length).toBeGreaterThan(CHECKOUTS / 10);
  });

  it('answers no idempotency key in two ways', async () => {
    for (const { path, sent } of placed) {
      const again = await shopper.again('orders', path, sent);
      expect([path, again.status, again.text]).toEqual([
        path,
        sent.answer.status,
        sent.answer.text,
      ]);
    }
  });

  /** Places an order and goes on as the plan says. */
  async function shop(checkout: Checkout, tokens: string[], admin: string): Promise<void> {
    const token = tokens[checkout.customer] ?? '';
    const items = checkout.lines.map(({ product, quantity }) => ({ sku: skus[product], quantity }));
    const body = { items, paymentMethod: checkout.paymentMethod };
    const order = await post('/orders', body, token);
    expect(order.answer.status).toBe(202);
    const id = order.answer.body.id as string;
    if (checkout.then === 'cancel') await post(`/orders/${id}/cancel`, undefined, token);
    if (checkout.then !== 'refund') return;
    const deadline = Date.now() + 20_000;
    while (Date.now() < deadline) {
      const { body: now } = await shopper.read('orders', `/orders/${id}`, token);
      if (now.status !== 'pending') break;
      await sleep(300);
    }
    await post(`/admin/orders/${id}/refund`, { reason: 'changed their mind' }, admin);
  }

  async function post(path: string, body: unknown, token: string): Promise<Placed> {
    const sent = await shopper.post('orders', path, body, token);
    if (sent.answer.status < 400) placed.push({ path, sent });
    return sent;
  }

  async function killAsPlanned(): Promise<void> {
    for (const { victim, afterMs, downMs } of plan.kills) {
      await sleep(afterMs);
      const process: RunningService =
        victim === 'sandbox' ? system.sandbox : system.services[victim];
      await process.kill('SIGKILL');
      await sleep(downMs);
      await process.start();
    }
  }

  /** The books once nothing changes by itself any more. */
  async function settledBooks(): Promise<Books> {
    const start = skus.map((sku) => ({ sku, start: UNITS }));
    const deadline = Date.now() + SETTLED_WITHIN_MS;
    for (;;) {
      const now = await bookkeeping(system, client, shopper, start);
      const settled = discrepancies(now).length === 0;
      if (settled || Date.now() > deadline) return now;
      await sleep(1_000);
    }
  }
});

async function inParallel<Item>(
  workers: number,
  items: Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}
