import { Logger } from '@nestjs/common';
import { rootCause } from '@signet/http';
import { sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Database } from './tokens.js';

const BATCH = 1_000;
const SWEEP_EVERY_MS = 10 * 60_000;

/**
 * Deletes the rows of a table that were kept long enough. Driven by whoever adds to it: where nobody
 * does, nothing grows. Each replica does it, and passes over what another is deleting already.
 */
export class Retention {
  private readonly logger = new Logger(Retention.name);
  private nextSweep = Date.now() + SWEEP_EVERY_MS;

  /**
   * @param since when a row was written; a column with an index
   * @param days how long a row is kept, at least; of 24 hours each
   */
  constructor(
    private readonly database: Database,
    private readonly since: PgColumn,
    private readonly days: number,
  ) {}

  /** For whoever adds a row, which neither waits for the sweep nor fails with it. */
  sweepWhenDue(): void {
    const now = Date.now();
    if (now < this.nextSweep) return;
    this.nextSweep = now + SWEEP_EVERY_MS;
    this.sweep().catch((error: unknown) => {
      this.logger.warn(`Old rows were not deleted, and are next time: ${String(rootCause(error))}`);
    });
  }

  /** In small batches, each a statement of its own: no lock is held for long. */
  async sweep(): Promise<void> {
    while ((await this.sweepBatch()) === BATCH);
  }

  private async sweepBatch(): Promise<number> {
    const { since, days } = this;
    const { rowCount } = await this.database.execute(sql`
      delete from ${since.table} where ctid = any (array(
        select ctid from ${since.table}
        where ${since} < now() - make_interval(hours => ${days * 24}::int)
        order by ${since} limit ${BATCH}
        for update skip locked))`);
    return rowCount ?? 0;
  }
}
