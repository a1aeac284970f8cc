import { Injectable, Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { Readiness } from '@signet/http';
import type { ReadinessCheck } from '@signet/http';
import pg from 'pg';
import { IdempotencyService } from './idempotency.service.js';
import { openDatabase } from './open-database.js';
import { DATABASE, InjectPool, POOL } from './tokens.js';
import { migrate } from './migrate.js';

export interface DatabaseOptions {
  /** postgres:// URL of the service's own database. */
  url: string;
  /** The service's name, seen in `pg_stat_activity`. */
  applicationName: string;
  poolSize: number;
  /** Folder that drizzle-kit writes the migrations to. */
  migrations: string;
}

/** A statement that takes longer is a fault; better an error than a pool of waiting connections. */
const STATEMENT_TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** No answer for so long, not even that of the statement's time-out: the connection is dead without a word. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 5_000;

@Readiness('database')
@Injectable()
class DatabaseLifecycle implements ReadinessCheck {
  constructor(@InjectPool() private readonly pool: pg.Pool) {}

  async checkReadiness(): Promise<void> {
    await this.pool.query('select 1');
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}

/** The service's connection to its own database, migrated before anything else can use it. */
@Module({})
export class DatabaseModule {
  static forRoot(options: DatabaseOptions): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      providers: [
        { provide: POOL, useFactory: () => openMigrated(options) },
        { provide: DATABASE, inject: [POOL], useFactory: openDatabase },
        DatabaseLifecycle,
        IdempotencyService,
      ],
      exports: [DATABASE, POOL, IdempotencyService],
    };
  }
}

async function openMigrated(options: DatabaseOptions): Promise<pg.Pool> {
  const connection = {
    connectionString: options.url,
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
  await migrate(connection, options.migrations);
  const pool = new pg.Pool({
    ...connection,
    max: options.poolSize,
    // Who starts two queries of one transaction at once does not wait between them.
    pipeline: true,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
  });
  // An idle connection that the server closes is replaced at the next query; without a listener the
  // event would end the process.
  pool.on('error', () => undefined);
  // Nor may one that is in the middle of a transaction, where the pool does not listen: when the server
  // is gone, the transaction's next query says so.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
