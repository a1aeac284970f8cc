import { Inject, Injectable } from '@nestjs/common';
import { openDatabase } from '@signet/database';
import type { Database } from '@signet/database';
import pg from 'pg';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';

const TIMEOUT_MS = 5_000;

/**
 * A connection that the feed has for itself: when the service is so busy that requests wait for one,
 * revocations do not.
 */
@Injectable()
export class FeedDatabase {
  readonly database: Database;
  private readonly pool: pg.Pool;

  constructor(@Inject(AUTH_CONFIG) config: AuthConfig) {
    this.pool = new pg.Pool({
      connectionString: config.DATABASE_URL,
      application_name: 'auth revocations',
      max: 1,
      keepAlive: true,
      connectionTimeoutMillis: TIMEOUT_MS,
      statement_timeout: TIMEOUT_MS,
      query_timeout: 2 * TIMEOUT_MS,
    });
    // Replaced at the next query; without a listener the event would end the process.
    this.pool.on('error', () => undefined);
    this.database = openDatabase(this.pool);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}
