import type { System } from '@signet/launcher';
import type { Client } from '../system/world.ts';
import type { Books, OrderBook, StockBook } from './books.ts';
import type { Shopper } from './shopper.ts';

interface Money {
  amount: number;
}

interface Order {
  id: string;
  status: string;
  reason?: string;
  total: Money;
  items: { sku: string; quantity: number }[];
}

interface Payment {
  id: string;
  orderId: string;
}

interface Movement {
  delta: number;
  reservedDelta: number;
}

interface Ledger {
  /** `reference` is the id that payments has for it. */
  payments: { id: string; reference: string }[];
  entries: { kind: string; payment: string; amount: number }[];
}

/** Asks orders, payments, inventory and the provider what each of them has in its books. */
export async function bookkeeping(
  system: System,
  client: Client,
  shopper: Shopper,
  stock: Pick<StockBook, 'sku' | 'start'>[],
): Promise<Books> {
  const admin = await client.tokenOf('admin');
  const service = await client.serviceToken('urn:signet:inventory', 'inventory:reserve');
  const orders = (await shopper.list('orders', '/admin/orders', admin)) as unknown as Order[];
  const payments = (await shopper.list(
    'payments',
    '/admin/payments',
    admin,
  )) as unknown as Payment[];
  const ledger = await ledgerOf(system);
  const orderOf = new Map(payments.map(({ id, orderId }) => [id, orderId]));
  const orderOfPayment = new Map(
    ledger.payments.map(({ id, reference }) => [id, orderOf.get(reference)]),
  );
  const amounts = (kind: string, orderId?: string) =>
    ledger.entries
      .filter((entry) => entry.kind === kind)
      .filter(({ payment }) => orderId === undefined || orderOfPayment.get(payment) === orderId)
      .map(({ amount }) => amount);
  const books: OrderBook[] = [];
  for (const { id, status, reason, total, items } of orders) {
    const reservation = await shopper.read('inventory', `/internal/reservations/${id}`, service);
    const captures = amounts('captured', id);
    books.push({
      ...{ id, status, reason, items, total: total.amount },
      reservation: reservation.status === 200 ? (reservation.body.status as string) : undefined,
      captures: captures.length,
      captured: sum(captures),
      refunded: sum(amounts('refunded', id)),
    });
  }
  const taken = sum(amounts('captured')) - sum(amounts('refunded'));
  return { orders: books, stock: await Promise.all(stock.map(withLevels)), taken };

  async function withLevels({ sku, start }: Pick<StockBook, 'sku' | 'start'>): Promise<StockBook> {
    const movements = (await shopper.list(
      'inventory',
      `/products/${sku}/movements`,
      admin,
    )) as unknown as Movement[];
    const product = await shopper.read('inventory', `/products/${sku}`);
    return {
      ...{ sku, start },
      onHand: sum(movements.map(({ delta }) => delta)),
      reserved: sum(movements.map(({ reservedDelta }) => reservedDelta)),
      available: product.body.available as number,
    };
  }
}

/** What the provider itself says, which no service of ours can gloss over. */
async function ledgerOf({ sandbox, sandboxApiKey }: System): Promise<Ledger> {
  const response = await fetch(`${sandbox.url}/ledger`, {
    headers: { authorization: `Bearer ${sandboxApiKey}` },
  });
  return (await response.json()) as Ledger;
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
