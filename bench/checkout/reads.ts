import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import type { Contender, Sample } from '../rounds.ts';
import { cpuOf } from './processes.ts';
import type { Shop } from './shop.ts';

const AT_ONCE = 16;

/**
 * Reads of the same product with and without a token, and of an order, which nobody reads without one.
 *
 * @param seconds that one sample takes
 */
export async function readers(
  { system, customers, skus }: Shop,
  seconds: number,
): Promise<{ contenders: Contender[]; close: () => Promise<void> }> {
  const { inventory, orders } = system.services;
  const [token = ''] = customers;
  const [sku = ''] = skus;
  const order = await somebodysOrder(orders.url, token, sku);
  const shelf = new Pool(inventory.url, { connections: AT_ONCE });
  const desk = new Pool(orders.url, { connections: AT_ONCE });
  const list = '/products?limit=1';
  return {
    contenders: [
      { name: READS.product, measure: measured(shelf, `/products/${sku}`) },
      { name: READS.anonymous, measure: measured(shelf, list) },
      { name: READS.lenient, measure: measured(shelf, list, token) },
      { name: READS.order, measure: measured(desk, `/orders/${order}`, token) },
    ].map(({ name, measure }) => ({
      name,
      measure: () => measure(name === READS.order ? orders.pid : inventory.pid, seconds),
    })),
    close: async () => {
      await Promise.all([shelf.close(), desk.close()]);
    },
  };
}

export const READS = {
  product: 'GET /products/:sku, public, one query',
  anonymous: 'GET /products?limit=1, public, one query',
  lenient: 'the same with a token, which is verified',
  order: 'GET /orders/:id, its owner alone, two queries',
} as const;

function measured(pool: Pool, path: string, token?: string) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return async (pid: number, seconds: number): Promise<Sample> => {
    const before = cpuOf([pid]);
    const began = performance.now();
    let done = 0;
    const reader = async () => {
      for (; performance.now() < began + seconds * 1000; done++) {
        const { statusCode, body } = await pool.request({ method: 'GET', path, headers });
        const text = await body.text();
        if (statusCode !== 200) throw new Error(`GET ${path}: ${statusCode} ${text}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, reader));
    const elapsed = (performance.now() - began) / 1000;
    return { rate: done / elapsed, cpu: ((cpuOf([pid]) - before) * 1000) / done };
  };
}

async function somebodysOrder(url: string, token: string, sku: string): Promise<string> {
  const response = await fetch(`${url}/orders`, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${token}`, 'idempotency-key': randomUUID() },
      'content-type': 'application/json',
    },
    body: JSON.stringify({ items: [{ sku, quantity: 1 }], paymentMethod: 'tok_ok' }),
  });
  if (response.status !== 202) throw new Error(`POST /orders: ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}
