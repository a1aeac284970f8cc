import { sql } from 'drizzle-orm';
import { idempotencyKeys } from './schema.js';
import type { Database } from './tokens.js';

/** An answer is kept for a day at least; after that, its key is as new. */
const KEPT_HOURS = 24;
const BATCH = 1_000;
const SWEEP_EVERY_MS = 10 * 60_000;

/**
 * Forgets the answers that were kept long enough. Driven by the requests that add to them: where none
 * come, nothing grows. Each replica does it, and passes over what another is deleting already.
 */
export class IdempotencyRecords {
  private nextSweep = Date.now() + SWEEP_EVERY_MS;

  constructor(private readonly database: Database) {}

  /** Whether it is time again; says so once. */
  isDue(): boolean {
    const now = Date.now();
    if (now < this.nextSweep) return false;
    this.nextSweep = now + SWEEP_EVERY_MS;
    return true;
  }

  /** In small batches, each a statement of its own: no lock is held for long. */
  async sweep(): Promise<void> {
    while ((await this.sweepBatch()) === BATCH);
  }

  private async sweepBatch(): Promise<number> {
    const { rowCount } = await this.database.execute(sql`
      delete from ${idempotencyKeys} where ctid = any (array(
        select ctid from ${idempotencyKeys}
        where ${idempotencyKeys.createdAt} < now() - make_interval(hours => ${KEPT_HOURS}::int)
        order by ${idempotencyKeys.createdAt} limit ${BATCH}
        for update skip locked))`);
    return rowCount ?? 0;
  }
}
