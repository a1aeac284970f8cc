import { Inject, Injectable, Logger } from '@nestjs/common';
import { InjectDatabase } from '@signet/database';
import type { Database, Transaction } from '@signet/database';
import { loggable } from '@signet/http';
import DataLoader from 'dataloader';
import pLimit from 'p-limit';
import pg from 'pg';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { RevocationLog } from '../revocations/revocation-log.js';
import { refreshStatements } from './refresh-statements.js';
import type { Exchange, FoundRefreshToken } from './refresh-statements.js';

type Executor = Database | Transaction;

/** Refreshes in a batch at most. */
const BATCH = 100;

/** Under way at the same time. */
const BATCHES = 2;

/** A batch that takes longer holds up no other: its connection may be dead. */
const PATIENCE_MS = 1_000;

/**
 * What refreshes ask of the database, asked together. A commit costs PostgreSQL as much for one refresh
 * as for twenty, and so does a message; so those that come while batches are under way go along with the
 * next. A refresh that comes alone waits for nobody.
 */
@Injectable()
export class RefreshBatches {
  private readonly logger = new Logger('Refreshes');
  private readonly statements: ReturnType<typeof refreshStatements>;
  private readonly finds: DataLoader<string, FoundRefreshToken | undefined>;
  private readonly exchanges: DataLoader<Exchange, boolean>;

  constructor(
    @Inject(AUTH_CONFIG) config: AuthConfig,
    @InjectDatabase() private readonly database: Database,
    revocations: RevocationLog,
  ) {
    this.statements = refreshStatements(config, revocations);
    this.finds = inBatches((hashes) => this.findAll(database, hashes));
    this.exchanges = inBatches((exchanges) => this.exchangeAll(exchanges));
  }

  /** @param hash SHA-256 of the token */
  find(hash: string): Promise<FoundRefreshToken | undefined> {
    return this.finds.load(hash);
  }

  /** As `find`, in a transaction that has begun. */
  async findOn(transaction: Executor, hash: string): Promise<FoundRefreshToken | undefined> {
    return (await this.findAll(transaction, [hash]))[0];
  }

  /**
   * Consumes the token, stores its successor and notes that the session is used, in one commit.
   *
   * @returns false when the token was exchanged before, the session is not any more what it was, or
   * somebody holds one of them; nothing has changed then
   */
  exchange(exchange: Exchange): Promise<boolean> {
    return this.exchanges.load(exchange);
  }

  private async findAll(executor: Executor, hashes: readonly string[]) {
    const rows = await this.statements.find.run(executor, { hashes: JSON.stringify(hashes) });
    const byHash = new Map(rows.map((row) => [row.hash, row]));
    return hashes.map((hash) => byHash.get(hash));
  }

  private async exchangeAll(exchanges: readonly Exchange[]) {
    const values = { exchanges: JSON.stringify(exchanges) };
    try {
      const rows = await this.statements.exchange.run(this.database, values);
      const stored = new Set(rows.map(({ successor }) => successor));
      return exchanges.map(({ successor }) => stored.has(successor));
    } catch (error) {
      if (!isRefused(error)) throw error;
      // Each is decided alone now, whatever has been written, and one that cannot be harms no other.
      this.logger.warn(`Refreshes were not written together: ${loggable(error)}`);
      return exchanges.map(() => false);
    }
  }
}

/** Whether PostgreSQL has said no. Otherwise nobody knows what it has done. */
function isRefused(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof pg.DatabaseError;
}

/** `work` answers for each key, in their order. */
function inBatches<Key, Answer>(work: (keys: readonly Key[]) => Promise<Answer[]>) {
  const inTurn = pLimit(BATCHES);
  let started: Promise<unknown> = Promise.resolve();
  const take = (batch: readonly Key[]) => {
    const answers = work(batch);
    started = answers.catch(() => undefined);
    return answers;
  };
  const start = async (dispatch: () => void) => {
    // Everything that has arrived by now goes along.
    await setImmediate();
    dispatch();
    await Promise.race([started, setTimeout(PATIENCE_MS, undefined, { ref: false })]);
  };
  return new DataLoader(take, {
    cache: false,
    maxBatchSize: BATCH,
    batchScheduleFn: (dispatch) => void inTurn(start, dispatch),
  });
}
