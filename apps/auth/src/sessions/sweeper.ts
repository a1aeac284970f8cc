import { Inject, Injectable, Logger } from '@nestjs/common';
import { InjectDatabase } from '@signet/database';
import type { Database } from '@signet/database';
import { loggable } from '@signet/http';
import { sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { engineRecords, grants, revocations, sessions } from '../schema.js';

const EVERY_MS = 10 * 60 * 1000;
/** More than the grace of a refresh token and what replicas' clocks differ by. */
const MARGIN_MS = 60 * 60 * 1000;
const BATCH = 1000;
const MOST_BATCHES = 500;

/** How long an ended session, with its address and device, is kept for whoever looks into it. */
const REMEMBERED_DAYS = 30;

/**
 * Clears away what has expired. Nothing depends on it: whoever reads looks at the time itself. Rows
 * that someone else holds are left for the next time, so it never waits and nobody waits for it.
 */
@Injectable()
export class Sweeper {
  private readonly logger = new Logger(Sweeper.name);
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | undefined;
  private isClosed = false;
  /** When the last sweep began that left nothing. */
  private sweptAt: number | undefined;

  constructor(
    @InjectDatabase() private readonly database: Database,
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
  ) {}

  onApplicationBootstrap(): void {
    const sweep = () => (this.sweeping = this.sweepQuietly());
    this.timer = setInterval(() => void sweep(), EVERY_MS).unref();
  }

  /** Before the pool closes, which waits for `onApplicationShutdown`. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.timer);
    await this.sweeping;
  }

  async sweep(): Promise<void> {
    const begunAt = Date.now();
    let isDone = true;
    for (const statement of this.statements()) isDone = (await this.repeat(statement)) && isDone;
    if (isDone) this.sweptAt = begunAt;
  }

  /** Each concerns at most `BATCH` rows, so that none is long or holds many. */
  private statements(): SQL[] {
    const grace = this.config.SIGNET_REFRESH_GRACE_SECONDS;
    const longAgo = sql`now() - make_interval(days => ${REMEMBERED_DAYS})`;
    return [
      sql`update ${sessions} set ended_at = expires_at, ending = 'expired' where ctid = any(array(
        select ctid from ${sessions}
        where expires_on <= (now() at time zone 'UTC')::date and expires_at < now() and ended_at is null
        limit ${BATCH} for update skip locked))`,
      // Of no use once its parent may not come again.
      sql`update ${engineRecords} set sealed_value = null where ctid = any(array(
        select successor.ctid from ${engineRecords} successor
        join ${engineRecords} parent
          on parent.model = successor.model and parent.hash = successor.parent_hash
        where successor.sealed_value is not null and successor.expires_at > ${this.sealedUntil()}
          and parent.consumed_at < now() - make_interval(secs => ${grace})
        limit ${BATCH} for update of successor skip locked))`,
      expired(engineRecords, sql`expires_at < now()`),
      expired(grants, sql`expires_at < now()`),
      // Of no use to verifiers any more, only to whoever looks into what happened.
      expired(revocations, sql`until < extract(epoch from ${longAgo}) and seq is not null`),
      expired(sessions, sql`ended_at < ${longAgo}`),
    ];
  }

  /**
   * A successor that is still sealed expires after this: the last sweep has been at those before it, and
   * all live equally long. No index has the sealed ones, for each refresh would have to change it.
   */
  private sealedUntil(): Date {
    if (this.sweptAt === undefined) return new Date(0);
    const lifetime = this.config.SIGNET_SESSION_IDLE_SECONDS * 1000;
    return new Date(this.sweptAt - MARGIN_MS + lifetime);
  }

  /** Whether nothing is left. Otherwise whoever looks for more would keep others waiting. */
  private async repeat(statement: SQL): Promise<boolean> {
    for (let batch = 0; batch < MOST_BATCHES && !this.isClosed; batch++) {
      const { rowCount } = await this.database.execute(statement);
      if ((rowCount ?? 0) < BATCH) return true;
    }
    return false;
  }

  private async sweepQuietly(): Promise<void> {
    try {
      await this.sweep();
    } catch (error) {
      this.logger.warn(`Expired rows were not cleared: ${loggable(error)}`);
    }
  }
}

function expired(table: PgTable, condition: SQL): SQL {
  return sql`delete from ${table} where ctid = any(array(
    select ctid from ${table} where ${condition} limit ${BATCH} for update skip locked))`;
}
