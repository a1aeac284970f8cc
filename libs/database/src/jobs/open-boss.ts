import pg from 'pg';
import type { ConstructorOptions, PgBoss } from 'pg-boss';
import { deadLetterQueue, JOBS_SCHEMA } from './options.js';
import type { JobsOptions, QueueOptions } from './options.js';
import type { Notifications } from './notifications.js';

const DEFAULT_HEARTBEAT_SECONDS = 15;
const DEFAULT_SUPERVISE_SECONDS = 10;
const MAINTENANCE_SECONDS = 600;
/** A job that is done is of no use but to whoever looks into what went wrong an hour ago. */
const KEEP_DONE_SECONDS = 3_600;
const KEEP_DEAD_SECONDS = 30 * 86_400;
const NO_JOB = '00000000-0000-0000-0000-000000000000';

interface Connections {
  pool: pg.Pool;
  notifications: Notifications;
  onError: (error: Error) => void;
}

/**
 * Starts pg-boss on the service's own pool: its schema is created or migrated under its advisory
 * lock, so that replicas may start together, and every queue exists and is cached afterwards, so that
 * a `send` inside a transaction needs no other connection.
 *
 * @throws {Error} when the database cannot be reached
 */
export async function openBoss(options: JobsOptions, connections: Connections): Promise<PgBoss> {
  // Not with the service's own code: nothing that a first request needs should wait for it.
  const pgBoss = await import('pg-boss');
  const { pool, notifications, onError } = connections;
  // Requests may hold the whole pool while they wait for this very start.
  const starter = new pg.Pool({ connectionString: pool.options.connectionString, max: 1 });
  starter.on('error', () => undefined);
  const database = { current: starter };
  const boss = new pgBoss.PgBoss({
    db: adapter(database, notifications),
    schema: JOBS_SCHEMA,
    schedule: false,
    useListenNotify: true,
    superviseIntervalSeconds: options.supervise ?? DEFAULT_SUPERVISE_SECONDS,
    monitorIntervalSeconds: options.supervise ?? DEFAULT_SUPERVISE_SECONDS,
    maintenanceIntervalSeconds: MAINTENANCE_SECONDS,
  });
  boss.on('error', onError);
  try {
    await boss.start();
    await declareQueues(boss, options);
  } catch (error) {
    await boss.stop({ close: false, graceful: false });
    throw error;
  } finally {
    database.current = pool;
    await starter.end();
  }
  return boss;
}

function adapter(
  database: { current: pg.Pool },
  notifications: Notifications,
): NonNullable<ConstructorOptions['db']> {
  return {
    executeSql: (text, values) => database.current.query<never>(text, values),
    listen: async (channel, onNotice, onGap) => {
      const close = await notifications.subscribe({ channel, onNotice, onGap });
      return {
        close: () => {
          close();
          return Promise.resolve();
        },
      };
    },
  };
}

async function declareQueues(
  boss: PgBoss,
  { queues, heartbeat = DEFAULT_HEARTBEAT_SECONDS }: JobsOptions,
): Promise<void> {
  const names = Object.keys(queues).flatMap((queue) => [deadLetterQueue(queue), queue]);
  const existing = new Set((await boss.getQueues(names)).map(({ name }) => name));
  for (const [name, options] of Object.entries(queues)) {
    const dead = deadLetterQueue(name);
    if (!existing.has(dead)) {
      await boss.createQueue(dead, { retentionSeconds: KEEP_DEAD_SECONDS });
    }
    const settings = settingsOf(options, heartbeat, dead);
    if (existing.has(name)) await boss.updateQueue(name, settings);
    else await boss.createQueue(name, { ...settings, policy: 'short' });
    // Any look into a queue caches what `send` must know of it; this one is by primary key.
    await boss.findJobs(name, { id: NO_JOB });
  }
}

function settingsOf(options: QueueOptions, heartbeatSeconds: number, deadLetter: string) {
  return {
    retryLimit: options.retryLimit,
    retryDelay: options.retryDelay,
    retryBackoff: true,
    retryDelayMax: options.retryDelayMax,
    expireInSeconds: options.expireIn,
    deleteAfterSeconds: KEEP_DONE_SECONDS,
    heartbeatSeconds,
    notify: true,
    deadLetter,
  };
}
