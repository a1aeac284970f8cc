import { transactionOn } from '@signet/database';
import type { Transaction } from '@signet/database';
import type { Pool, PoolClient } from 'pg';

type Query<Result> = (transaction: Transaction) => Promise<Result>;

interface Opened {
  client: PoolClient;
  transaction: Transaction;
}

/**
 * A transaction that begins with its first query, and does not wait for PostgreSQL where it need not:
 * the beginning goes out together with the first query, and what was deferred together with the commit.
 */
export class RequestTransaction {
  readonly offers = new Map<string, unknown>();
  private opened: Promise<Opened> | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private hasBegun = false;
  private hasFailed = false;
  private isClosed = false;
  private readonly deferred: Query<unknown>[] = [];

  constructor(private readonly pool: Pool) {}

  get isOpen(): boolean {
    return this.opened !== undefined;
  }

  /** One query at a time: the engine starts several at once, and a transaction is one sequence. */
  use<Result>(query: Query<Result>): Promise<Result> {
    const opened = this.open();
    const result = this.last.then(async () => this.send(await opened, query));
    this.last = result.catch(() => (this.hasFailed = true));
    return result;
  }

  /** For what cannot fail: it runs before the next query, or along with the commit. */
  defer(query: Query<unknown>): void {
    this.deferred.push(query);
  }

  /** @throws {Error} when it cannot be known to have been committed, and no query has thrown before */
  async commit(): Promise<void> {
    if (!this.isOpen && this.deferred.length === 0) return;
    const opened = this.open();
    await this.last;
    await this.close(await opened, async (all) => {
      const { command } = await this.send(all, () => all.client.query('commit'));
      // PostgreSQL answers so to the commit of what has failed; whoever sent that has been told.
      if (command === 'ROLLBACK' && !this.hasFailed) throw new Error('the transaction has failed');
    });
  }

  /** Harmless after a commit that failed. */
  async rollBack(): Promise<void> {
    if (!this.opened || this.isClosed) return;
    await this.last;
    const opened = await this.opened.catch(() => undefined);
    if (opened) await this.close(opened, ({ client }) => client.query('rollback')).catch(ignore);
  }

  private open(): Promise<Opened> {
    this.opened ??= open(this.pool);
    return this.opened;
  }

  /** With what has to go before it, in one message to PostgreSQL and with one wait for its answers. */
  private async send<Result>(
    { client, transaction }: Opened,
    query: Query<Result>,
  ): Promise<Result> {
    const { stream } = client.connection;
    const queries: Query<unknown>[] = this.deferred.splice(0);
    if (!this.hasBegun) queries.unshift(() => client.query('begin'));
    this.hasBegun = true;
    stream.cork();
    const before = queries.map((each) => begun(each, transaction));
    const asked = begun(query, transaction);
    stream.uncork();
    const [result] = await Promise.all([asked, ...before]);
    return result;
  }

  /** A connection of which nobody knows what state it is in is not used again. */
  private async close(opened: Opened, finish: (opened: Opened) => Promise<unknown>): Promise<void> {
    this.isClosed = true;
    const { client } = opened;
    let isClean = false;
    try {
      await finish(opened);
      isClean = true;
    } finally {
      client.off('error', ignore);
      client.release(!isClean);
    }
  }
}

/**
 * Sends the query now. Drizzle's own wait until somebody asks for their result, which would be behind
 * the commit. What it throws is a refusal like any other, and does not leave the stream corked.
 */
function begun<Result>(query: Query<Result>, transaction: Transaction): Promise<Result> {
  return new Promise((resolve, reject) => {
    query(transaction).then(resolve, reject);
  });
}

async function open(pool: Pool): Promise<Opened> {
  const client = await pool.connect();
  // A connection that is lost while nothing is asked of it is noticed by the next query.
  client.on('error', ignore);
  return { client, transaction: transactionOn(client) };
}

function ignore(): void {
  // Whoever needs it is told in another way.
}
