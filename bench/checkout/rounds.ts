import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { BareCheckout } from './bare/checkout.ts';
import type { Confirmations } from './confirmations.ts';
import { PRICE } from './shop.ts';
import type { Shop } from './shop.ts';

/** What one contender did in one round. Times in milliseconds. */
export interface Round {
  orders: number;
  elapsed: number;
  /** From each `POST /orders` to its answer. */
  placing: number[];
  /** From each `POST /orders` to the confirmation. */
  confirming: number[];
}

/**
 * Customers at the same time, each of whom orders, waits for the confirmation and orders again.
 *
 * @param replicas of orders, which they use in turn
 */
export async function checkOut(
  shop: Shop,
  confirmations: Confirmations,
  { replicas, seconds }: { replicas: 1 | 2; seconds: number },
): Promise<Round> {
  const addresses = shop.orders.slice(0, replicas);
  const pools = addresses.map((url) => new Pool(url, { connections: shop.customers.length }));
  const round: Round = { orders: 0, elapsed: 0, placing: [], confirming: [] };
  const began = performance.now();
  const customer = async (token: string, index: number) => {
    const pool = pools[index % pools.length];
    const body = JSON.stringify({
      items: [{ sku: shop.skus[index % shop.skus.length], quantity: 1 }],
      paymentMethod: 'tok_ok',
    });
    while (pool && performance.now() < began + seconds * 1000) {
      const asked = performance.now();
      const id = await place(pool, token, body);
      round.placing.push(performance.now() - asked);
      await confirmations.of(id);
      round.confirming.push(performance.now() - asked);
    }
  };
  await Promise.all(shop.customers.map(customer));
  round.elapsed = performance.now() - began;
  round.orders = round.confirming.length;
  await Promise.all(pools.map((pool) => pool.close()));
  return round;
}

/** The statements of orders alone, of so many orders at the same time. */
export async function statements(
  shop: Shop,
  { atOnce, seconds }: { atOnce: number; seconds: number },
): Promise<Round> {
  const checkout = new BareCheckout((service) => shop.databaseUrl(service));
  await checkout.start();
  const round: Round = { orders: 0, elapsed: 0, placing: [], confirming: [] };
  const began = performance.now();
  const lane = async (_: unknown, index: number) => {
    const sku = shop.skus[index % shop.skus.length] ?? '';
    while (performance.now() < began + seconds * 1000) {
      const asked = performance.now();
      await checkout.order({ sku, price: PRICE });
      round.confirming.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  round.elapsed = performance.now() - began;
  round.orders = round.confirming.length;
  await checkout.close();
  return round;
}

async function place(pool: Pool, token: string, body: string): Promise<string> {
  const { statusCode, body: answer } = await pool.request({
    method: 'POST',
    path: '/orders',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    },
    body,
  });
  const text = await answer.text();
  if (statusCode !== 202) throw new Error(`POST /orders: ${statusCode} ${text}`);
  return (JSON.parse(text) as { id: string }).id;
}
