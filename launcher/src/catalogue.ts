import type { DemoAccount } from './services.ts';

interface Product {
  sku: string;
  name: string;
  description: string;
  /** In euro cents. */
  amount: number;
  stock: number;
}

/** What a new system has to sell. */
export const CATALOGUE: Product[] = [
  {
    sku: 'MUG-STONE-01',
    name: 'Stoneware mug',
    description: 'Hand-thrown, speckled glaze, 350 ml. Dishwasher safe.',
    amount: 1_890,
    stock: 120,
  },
  {
    sku: 'LAMP-OAK-02',
    name: 'Oak desk lamp',
    description: 'Dimmable, warm white, with a brass joint and a two-metre linen cable.',
    amount: 12_900,
    stock: 18,
  },
  {
    sku: 'NOTE-DOT-A5',
    name: 'Dotted notebook A5',
    description: '192 numbered pages of 100 g paper that takes fountain pens, lies flat.',
    amount: 1_450,
    stock: 300,
  },
  {
    sku: 'BAG-CANVAS-03',
    name: 'Waxed canvas backpack',
    description: '20 litres, padded for a 15-inch laptop, leather straps.',
    amount: 14_900,
    stock: 35,
  },
  {
    sku: 'TEA-SENCHA-100',
    name: 'Sencha, first flush',
    description: 'Green tea from Uji, 100 g, steamed and rolled in May.',
    amount: 1_690,
    stock: 80,
  },
  {
    sku: 'PEN-BRASS-04',
    name: 'Brass fountain pen',
    description: 'Turned from solid brass, fine nib, converter included.',
    amount: 6_400,
    stock: 42,
  },
  {
    sku: 'KEY-75-TKL',
    name: 'Mechanical keyboard, 75 %',
    description: 'Hot-swappable switches, aluminium case, USB-C.',
    amount: 13_900,
    stock: 24,
  },
  {
    sku: 'BLANKET-WOOL-05',
    name: 'Merino blanket',
    description: 'Woven in Portugal from undyed wool, 140 by 200 cm. Few are left.',
    amount: 18_500,
    stock: 3,
  },
];

/**
 * Puts the catalogue on sale as the warehouse account, over public HTTP only. A catalogue that
 * holds anything else is somebody's own and stays as it is; one that a crash left half made is
 * finished, since the same Idempotency-Key has an effect but once.
 */
export async function fillCatalogue(
  inventory: string,
  auth: string,
  accounts: DemoAccount[],
): Promise<void> {
  const { items } = await call<{ items: { sku: string }[] }>(`${inventory}/products?limit=100`);
  const known = new Set(CATALOGUE.map(({ sku }) => sku));
  const last = CATALOGUE.at(-1)?.sku;
  if (items.some(({ sku }) => !known.has(sku) || sku === last)) return;
  const account = accounts.find(({ role }) => role === 'warehouse');
  const { access_token: token } = await call<{ access_token: string }>(`${auth}/auth/login`, {
    body: { email: account?.email, password: account?.password },
  });
  for (const { sku, stock, amount, ...texts } of CATALOGUE) {
    await call(`${inventory}/products`, {
      ...{ token, key: `demo-product-${sku}` },
      body: { sku, ...texts, price: { amount, currency: 'EUR' } },
    });
    await call(`${inventory}/products/${sku}/stock`, {
      ...{ token, key: `demo-stock-${sku}` },
      body: { delta: stock, reason: 'initial stock' },
    });
  }
}

interface Post {
  body: object;
  token?: string;
  key?: string;
}

/** @throws Error with the status and the answer when it is not a success */
async function call<Answer>(url: string, post?: Post): Promise<Answer> {
  const answer = await fetch(url, {
    method: post ? 'POST' : 'GET',
    headers: {
      ...(post && { 'content-type': 'application/json' }),
      ...(post?.token && { authorization: `Bearer ${post.token}` }),
      ...(post?.key && { 'idempotency-key': post.key }),
    },
    ...(post && { body: JSON.stringify(post.body) }),
    signal: AbortSignal.timeout(10_000),
  });
  if (answer.ok) return (await answer.json()) as Answer;
  const method = post ? 'POST' : 'GET';
  throw new Error(`${method} ${url} was answered ${answer.status}: ${await answer.text()}`);
}
