import { Injectable } from '@nestjs/common';
import { InjectDatabase, InjectPool } from '@signet/database';
import type { Database, Transaction } from '@signet/database';
import type { Pool } from 'pg';
import { AsyncLocalStorage } from 'node:async_hooks';
import { RequestTransaction } from './request-transaction.js';

/**
 * One transaction around everything that the engine writes for one request, although the engine knows
 * its storage only as single calls: a token is consumed, its successor stored and its session touched,
 * or none of it. The transaction begins with the first write.
 */
@Injectable()
export class UnitOfWork {
  private readonly current = new AsyncLocalStorage<RequestTransaction>();

  constructor(
    @InjectDatabase() private readonly database: Database,
    @InjectPool() private readonly pool: Pool,
  ) {}

  /**
   * Runs `work` and commits what was written meanwhile, unless it throws or `commits` says no to its
   * result. Inside another unit of work it becomes a part of that one.
   */
  async run<Result>(
    work: () => Promise<Result>,
    commits: (result: Result) => boolean = () => true,
  ): Promise<Result> {
    if (this.current.getStore()) return work();
    const transaction = new RequestTransaction(this.pool);
    try {
      const result = await this.current.run(transaction, work);
      await (commits(result) ? transaction.commit() : transaction.rollBack());
      return result;
    } catch (error) {
      await transaction.rollBack();
      throw error;
    }
  }

  /** Whether something has been written that is not committed yet. */
  get isOpen(): boolean {
    return this.current.getStore()?.isOpen ?? false;
  }

  /** Reads what this unit of work has written, and otherwise what is committed. */
  read<Result>(query: (executor: Database | Transaction) => Promise<Result>): Promise<Result> {
    const transaction = this.current.getStore();
    // Once the transaction holds a connection, a second one could be waited for by everyone who
    // waits for this one's locks.
    return transaction?.isOpen ? transaction.use(query) : query(this.database);
  }

  /**
   * Leaves what was read along with something else for whoever asks for it next, once and in this unit
   * of work, so that one query does for what the engine asks for piece by piece.
   */
  offer(name: string, value: unknown): void {
    this.current.getStore()?.offers.set(name, value);
  }

  /** What was offered under this name, if anything. */
  take(name: string): unknown {
    const offers = this.current.getStore()?.offers;
    const value = offers?.get(name);
    offers?.delete(name);
    return value;
  }

  write<Result>(query: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    const transaction = this.current.getStore();
    return transaction ? transaction.use(query) : this.database.transaction(query);
  }

  /**
   * Writes what nobody waits for: together with the commit, or before what this unit of work asks for
   * next. Only for what cannot be refused; should it fail, the commit does.
   */
  async writeLast(query: (transaction: Transaction) => Promise<unknown>): Promise<void> {
    const transaction = this.current.getStore();
    if (transaction) transaction.defer(query);
    else await this.database.transaction(query);
  }
}
