import { Inject, Injectable, Logger } from '@nestjs/common';
import { InjectDatabase } from '@signet/database';
import type { Database } from '@signet/database';
import { sql } from 'drizzle-orm';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { auditEvents, engineRecords, grants, revocations, sessions } from '../schema.js';

const EVERY_MS = 10 * 60 * 1000;
const BATCH = 1000;

/** How long an ended session, with its address and device, is kept for whoever looks into it. */
const REMEMBERED_DAYS = 30;

const AUDITED_DAYS = 400;

/**
 * Clears away what has expired. Nothing depends on it: whoever reads looks at the time itself. Rows
 * that someone else holds are left for the next time, so it never waits and nobody waits for it.
 */
@Injectable()
export class Sweeper {
  private readonly logger = new Logger(Sweeper.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @InjectDatabase() private readonly database: Database,
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweepQuietly(), EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  async sweep(): Promise<void> {
    const { database } = this;
    await database.execute(sql`
      update ${sessions} set ended_at = expires_at, ending = 'expired' where sid in (
        select sid from ${sessions} where expires_at < now() and ended_at is null
        limit ${BATCH} for update skip locked)`);
    // Of no use once its parent may not come again.
    await database.execute(sql`
      update ${engineRecords} set sealed_value = null where (model, hash) in (
        select successor.model, successor.hash from ${engineRecords} successor
        join ${engineRecords} parent
          on parent.model = successor.model and parent.hash = successor.parent_hash
        where successor.sealed_value is not null
          and parent.consumed_at < now() - make_interval(secs => ${this.config.SIGNET_REFRESH_GRACE_SECONDS})
        limit ${BATCH} for update of successor skip locked)`);
    await database.execute(sql`
      delete from ${engineRecords} where (model, hash) in (
        select model, hash from ${engineRecords} where expires_at < now()
        limit ${BATCH} for update skip locked)`);
    await database.execute(sql`
      delete from ${grants} where id in (
        select id from ${grants} where expires_at < now()
        limit ${BATCH} for update skip locked)`);
    await database.execute(sql`
      delete from ${auditEvents} where id in (
        select id from ${auditEvents} where at < now() - make_interval(days => ${AUDITED_DAYS})
        limit ${BATCH} for update skip locked)`);
    // Of no use to verifiers any more, only to whoever looks into what happened.
    await database.execute(sql`
      delete from ${revocations} where id in (
        select id from ${revocations}
        where until < extract(epoch from now() - make_interval(days => ${REMEMBERED_DAYS}))
          and seq is not null
        limit ${BATCH} for update skip locked)`);
    await database.execute(sql`
      delete from ${sessions} where sid in (
        select sid from ${sessions} where ended_at < now() - make_interval(days => ${REMEMBERED_DAYS})
        limit ${BATCH} for update skip locked)`);
  }

  private async sweepQuietly(): Promise<void> {
    try {
      await this.sweep();
    } catch (error) {
      this.logger.warn(`Expired rows were not cleared: ${String(error)}`);
    }
  }
}
