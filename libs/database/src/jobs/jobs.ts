import { HttpStatus, Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { context, propagation } from '@opentelemetry/api';
import { Problem, Readiness, rootCause } from '@signet/http';
import type { ReadinessCheck } from '@signet/http';
import { sql } from 'drizzle-orm';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { PgBoss } from 'pg-boss';
import { InjectPool } from '../tokens.js';
import type { Transaction } from '../tokens.js';
import { Notifications } from './notifications.js';
import { openBoss } from './open-boss.js';
import { JOBS_OPTIONS, JOBS_SCHEMA } from './options.js';
import type { JobContext, JobsOptions, SendOptions } from './options.js';

/** New jobs call their workers by NOTIFY; those that come back after a failure are found by looking. */
const POLL_SECONDS = 2;
const START_RETRY_MS = 2_000;
const START_PATIENCE_MS = 5_000;
/** Jobs in flight may finish this long when the service stops; then they go back into the queue. */
const STOP_PATIENCE_MS = 5_000;

interface Envelope {
  payload: unknown;
  /** W3C trace context of who sent the job. */
  trace: Record<string, string>;
}

type Handler<Payload> = (payload: Payload, job: JobContext) => Promise<void>;

/** Work that is done after, and only if, the transaction that asked for it commits. */
@Readiness('jobs')
@Injectable()
export class Jobs implements OnApplicationBootstrap, BeforeApplicationShutdown, ReadinessCheck {
  private readonly logger = new Logger(Jobs.name);
  private readonly workers: { queue: string; handler: Handler<never> }[] = [];
  private readonly stopping = new AbortController();
  private boss: PgBoss | undefined;
  private starting: Promise<void> | undefined;

  constructor(
    @InjectPool() private readonly pool: pg.Pool,
    @Inject(JOBS_OPTIONS) private readonly options: JobsOptions,
    private readonly notifications: Notifications,
  ) {}

  /**
   * Puts a job into a queue; it is there when `transaction` commits, and not when it rolls back.
   *
   * @param payload JSON; never a token or anything else that is secret
   * @throws {Problem} 503 `jobs_unavailable` when the queues cannot be had yet
   */
  async send(
    transaction: Transaction,
    queue: string,
    payload: unknown,
    { startAfter, key }: SendOptions = {},
  ): Promise<void> {
    const boss = await this.started();
    const { fromDrizzle } = await import('pg-boss');
    const envelope: Envelope = { payload, trace: {} };
    propagation.inject(context.active(), envelope.trace);
    await boss.send(queue, envelope, {
      db: fromDrizzle(transaction, sql),
      // The queues' policy lets no two jobs wait under one key, the empty one included.
      singletonKey: key ?? randomUUID(),
      ...(startAfter && { startAfter }),
    });
  }

  /**
   * Runs `handler` for the jobs of a queue. A job may come more than once: when its worker was
   * killed, or when the handler throws, which puts it back until the queue's retries are used up.
   * Call it before the application is bootstrapped.
   *
   * @throws {Error} when the module's options have no such queue
   */
  work<Payload>(queue: string, handler: Handler<Payload>): void {
    if (!(queue in this.options.queues)) throw new Error(`No queue ${queue} was declared.`);
    this.workers.push({ queue, handler });
  }

  /** Not awaited: the service can answer what needs no job meanwhile. */
  onApplicationBootstrap(): void {
    this.starting = this.start();
  }

  checkReadiness(): void {
    if (!this.boss) throw new Error('the job queues are not open yet');
  }

  /** Before requests are refused: what they sent is done by others, or after the restart. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.starting;
    const { boss } = this;
    if (!boss) return;
    const idle = Promise.all(this.workers.map(({ queue }) => boss.offWork(queue)));
    await Promise.race([idle, patience(STOP_PATIENCE_MS)]);
    await boss.stop({ close: false, graceful: false });
  }

  private async start(): Promise<void> {
    while (!this.stopping.signal.aborted && !this.boss) {
      try {
        this.boss = await openBoss(this.options, {
          pool: this.pool,
          notifications: this.notifications,
          onError: (error) => this.logger.warn(`A queue is in trouble: ${error.message}`),
        });
      } catch (error) {
        this.logger.warn(
          `The queues in schema ${JOBS_SCHEMA} cannot be opened: ${String(rootCause(error))}`,
        );
        await delay(START_RETRY_MS, undefined, { signal: this.stopping.signal }).catch(() => null);
      }
    }
    if (!this.boss) return;
    for (const { queue, handler } of this.workers) {
      await this.startWorkers(this.boss, queue, handler);
    }
  }

  private async started(): Promise<PgBoss> {
    if (!this.boss) await Promise.race([this.starting, patience(START_PATIENCE_MS)]);
    if (this.boss) return this.boss;
    throw new Problem({
      status: HttpStatus.SERVICE_UNAVAILABLE,
      code: 'jobs_unavailable',
      detail: 'Nothing can be taken in hand right now, and nothing was. Try again.',
      retryAfter: 2,
    });
  }

  /** One pg-boss worker each, because only a worker of its own can be told to go on at once. */
  private async startWorkers(boss: PgBoss, queue: string, handler: Handler<never>): Promise<void> {
    const concurrency = this.options.queues[queue]?.concurrency ?? 0;
    for (let started = 0; started < concurrency; started++) {
      const id: string = await boss.work<Envelope>(
        queue,
        { pollingIntervalSeconds: POLL_SECONDS, notifyPollingIntervalSeconds: POLL_SECONDS },
        async ([job]) => {
          try {
            if (job) await this.run(queue, job, handler);
          } finally {
            boss.notifyWorker(id);
          }
        },
      );
    }
  }

  private async run(
    queue: string,
    { id, data, signal }: { id: string; data: Envelope; signal: AbortSignal },
    handler: Handler<never>,
  ): Promise<void> {
    const either = AbortSignal.any([signal, this.stopping.signal]);
    const sender = propagation.extract(context.active(), data.trace);
    try {
      await context.with(sender, () => handler(data.payload as never, { id, signal: either }));
    } catch (error) {
      this.logger.error(
        `Job ${id} of ${queue} failed and is tried again: ${String(rootCause(error))}`,
      );
      throw error;
    }
  }
}

/** Keeps nothing alive that would end otherwise. */
function patience(milliseconds: number): Promise<void> {
  return delay(milliseconds, undefined, { ref: false });
}
