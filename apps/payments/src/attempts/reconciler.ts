import { Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { InjectDatabase } from '@signet/database';
import type { Database } from '@signet/database';
import { rootCause } from '@signet/http';
import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import { attempts } from '../schema.js';
import type { AttemptRow } from '../schema.js';
import { AttemptRunner } from './attempt-runner.js';

/** Injects how long an outcome may be unknown before the provider is asked again, in milliseconds. */
export const RECONCILE_AFTER = Symbol('RECONCILE_AFTER');

const AT_ONCE = 10;
const LOOKS_PER_WAIT = 4;
const MOST_OFTEN_MS = 250;

/**
 * Asks the provider about what it was asked and what has no known outcome: an answer that was lost or
 * is late, a process that was killed in between. It never assumes one. Runs in every replica; SKIP
 * LOCKED gives each attempt to one of them.
 */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Reconciler.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    @InjectDatabase() private readonly database: Database,
    @Inject(RECONCILE_AFTER) private readonly wait: number,
    private readonly runner: AttemptRunner,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** One look. @returns how many attempts were asked about */
  async reconcile(): Promise<number> {
    const claimed = await this.claim();
    await Promise.all(
      claimed.map(async (attempt) => {
        try {
          await this.runner.reconcile(attempt);
        } catch (error) {
          const { kind, id } = attempt;
          this.logger.warn(
            `The provider could not be asked about ${kind} ${id}: ${String(rootCause(error))}`,
          );
        }
      }),
    );
    return claimed.length;
  }

  private schedule(): void {
    if (this.stopped) return;
    const pause = Math.max(MOST_OFTEN_MS, this.wait / LOOKS_PER_WAIT);
    this.timer = setTimeout(() => {
      this.running = this.look().finally(() => this.schedule());
    }, pause);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    try {
      while (!this.stopped && (await this.reconcile()) === AT_ONCE);
    } catch (error) {
      this.logger.warn(`Unknown outcomes could not be looked for: ${String(rootCause(error))}`);
    }
  }

  /** Marks them as asked about now, which keeps everybody else away until the next time is due. */
  private claim(): Promise<AttemptRow[]> {
    const wait = this.wait / 1000;
    const due = this.database
      .select({ id: attempts.id })
      .from(attempts)
      .where(
        and(
          eq(attempts.status, 'open'),
          sql`coalesce(${attempts.checkedAt}, ${attempts.createdAt}) < now() - make_interval(secs => ${wait})`,
        ),
      )
      .orderBy(asc(attempts.createdAt))
      .limit(AT_ONCE)
      .for('update', { skipLocked: true });
    return this.database
      .update(attempts)
      .set({ checkedAt: sql`now()`, checks: sql`${attempts.checks} + 1` })
      .where(inArray(attempts.id, due))
      .returning();
  }
}
