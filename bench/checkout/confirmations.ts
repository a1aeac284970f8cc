import pg from 'pg';

/** Where orders tells of changed orders; the payload is the id. */
const CHANNEL = 'orders';
const CONFIRMED_WITHIN_MS = 30_000;

/** Says when an order has become something else than pending, as soon as its transaction has committed. */
export class Confirmations {
  private readonly client: pg.Client;
  private readonly told = new Set<string>();
  private readonly waiting = new Map<string, () => void>();

  /** @param url of the database of orders */
  constructor(url: string) {
    this.client = new pg.Client(url);
    // When something else has failed the database is stopped, and that failure is the one to be seen.
    this.client.on('error', () => undefined);
    this.client.on('notification', ({ payload = '' }) => {
      const resolve = this.waiting.get(payload);
      if (resolve) resolve();
      else this.told.add(payload);
    });
  }

  async start(): Promise<void> {
    await this.client.connect();
    await this.client.query(`listen ${CHANNEL}`);
  }

  async of(orderId: string): Promise<void> {
    if (this.told.delete(orderId)) return;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const timer = setTimeout(
      () => reject(new Error(`Order ${orderId} is still pending.`)),
      CONFIRMED_WITHIN_MS,
    );
    this.waiting.set(orderId, () => resolve(undefined));
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.waiting.delete(orderId);
    }
  }

  /** @throws {Error} when an order has not ended in `confirmed` */
  async assertAll(): Promise<void> {
    const { rows } = await this.client.query<{ status: string; orders: string }>(
      `select status, count(*) as orders from orders where status <> 'confirmed' group by status`,
    );
    if (rows.length > 0) throw new Error(`Not all is confirmed: ${JSON.stringify(rows)}`);
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}
