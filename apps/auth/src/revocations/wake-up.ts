import { Inject, Injectable, Logger } from '@nestjs/common';
import pg from 'pg';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { PUBLISHED } from './publisher.js';
import { RECORDED } from './revocation-log.js';

const RETRY_MS = 1_000;

/** A connection that is silently dead has nothing to say either: it is asked, and given so long to answer. */
const CHECK_MS = 2_000;
const TIMEOUT_MS = 3_000;

/**
 * Hears from the database, on a connection of its own, when any replica has written or published an
 * entry. Only a messenger: what it misses is found by whoever looks once a second anyway.
 */
@Injectable()
export class WakeUp {
  private readonly logger = new Logger('Revocations');
  private client: pg.Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private failed = false;

  constructor(@Inject(AUTH_CONFIG) private readonly config: AuthConfig) {}

  /** Calls `onNews` from now on, until `close()`. */
  async listen(onNews: () => void): Promise<void> {
    const client = new pg.Client({
      connectionString: this.config.DATABASE_URL,
      application_name: 'auth revocations',
      keepAlive: true,
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
    });
    let lost = false;
    const retry = (error?: Error) => {
      if (lost || this.isClosed) return;
      lost = true;
      if (!this.failed) {
        const reason = error?.message ?? 'the connection ended';
        this.logger.warn(`Not woken by the database: ${reason}`);
      }
      this.failed = true;
      void client.end().catch(() => undefined);
      this.timer = setTimeout(() => void this.listen(onNews), RETRY_MS).unref();
    };
    const check = () => {
      if (lost || this.isClosed) return;
      this.timer = setTimeout(
        () => void client.query('select 1').then(check, retry),
        CHECK_MS,
      ).unref();
    };
    client.on('error', retry);
    client.on('end', () => retry());
    client.on('notification', onNews);
    try {
      await client.connect();
      await client.query(`listen ${RECORDED}; listen ${PUBLISHED}`);
      this.client = client;
      this.failed = false;
      onNews();
      check();
    } catch (error) {
      retry(error as Error);
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.client?.end().catch(() => undefined);
  }
}
