import { drizzle } from 'drizzle-orm/node-postgres';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Database } from '../tokens.js';
import { createTestDatabase, until } from '../testing/index.js';
import type { TestDatabase } from '../testing/index.js';
import { Jobs } from './jobs.js';
import { Notifications } from './notifications.js';
import type { QueueOptions } from './options.js';

const QUEUE = 'errands';
const PATIENT: QueueOptions = {
  concurrency: 4,
  retryLimit: 3,
  retryDelay: 0,
  retryDelayMax: 1,
  expireIn: 60,
};

interface Errand {
  n: number;
}

/** What a service is to its jobs: a pool, and somebody who calls it up and down. */
class Replica {
  readonly pool: pg.Pool;
  readonly jobs: Jobs;
  readonly database: Database;
  private readonly notifications: Notifications;

  constructor(url: string, queue: QueueOptions = PATIENT) {
    this.pool = new pg.Pool({ connectionString: url, max: 4 });
    this.pool.on('error', () => undefined);
    this.database = drizzle(this.pool);
    this.notifications = new Notifications(this.pool);
    const options = { queues: { [QUEUE]: queue }, heartbeat: 10, supervise: 1 };
    this.jobs = new Jobs(this.pool, options, this.notifications);
  }

  start(): void {
    this.jobs.onApplicationBootstrap();
  }

  send(payload: Errand, options?: Parameters<Jobs['send']>[3]): Promise<void> {
    return this.database.transaction((transaction) =>
      this.jobs.send(transaction, QUEUE, payload, options),
    );
  }

  async stop(): Promise<void> {
    await this.jobs.beforeApplicationShutdown();
    await this.notifications.onApplicationShutdown();
    await this.pool.end();
  }
}

describe('jobs', () => {
  let database: TestDatabase;
  let replicas: Replica[];

  beforeEach(async () => {
    database = await createTestDatabase();
    replicas = [];
  });

  afterEach(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    await database.drop();
  });

  function replica(queue?: QueueOptions, url = database.url): Replica {
    const made = new Replica(url, queue);
    replicas.push(made);
    return made;
  }

  it('are done after the transaction that asked for them, and only if it commits', async () => {
    const service = replica();
    const done: number[] = [];
    service.jobs.work<Errand>(QUEUE, ({ n }) => Promise.resolve(void done.push(n)));
    service.start();
    const failing = service.database.transaction(async (transaction) => {
      await service.jobs.send(transaction, QUEUE, { n: 1 });
      throw new Error('the power went out');
    });
    await expect(failing).rejects.toThrow('the power went out');
    await service.send({ n: 2 });
    await until(() => done.length > 0);
    expect(done).toEqual([2]);
  });

  it('are shared by replicas that boot at the same moment, and each is done once', async () => {
    const done: string[] = [];
    const all = ['a', 'b', 'c'].map((name) => {
      const made = replica();
      made.jobs.work<Errand>(QUEUE, async ({ n }) => {
        await delay(5);
        done.push(`${n} by ${name}`);
      });
      made.start();
      return made;
    });
    const numbers = Array.from({ length: 60 }, (_, n) => n);
    const [sender = replica()] = all;
    await Promise.all(numbers.map((n) => sender.send({ n })));
    await until(() => done.length >= 60);
    expect(new Set(done.map((line) => line.split(' ')[0])).size).toBe(60);
    expect(done).toHaveLength(60);
    expect(new Set(done.map((line) => line.split(' ')[2])).size).toBeGreaterThan(1);
  });

  it('are sent by many requests at once, also while the queues are still being opened', async () => {
    const service = replica();
    const done: number[] = [];
    service.jobs.work<Errand>(QUEUE, ({ n }) => Promise.resolve(void done.push(n)));
    service.start();
    await Promise.all(Array.from({ length: 30 }, (_, n) => service.send({ n })));
    await until(() => done.length === 30);
  });

  it('are tried again when they fail, and put aside when they fail too often', async () => {
    const service = replica({ ...PATIENT, retryLimit: 2 });
    let tries = 0;
    service.jobs.work(QUEUE, () => {
      tries += 1;
      return Promise.reject(new Error('out of paper'));
    });
    service.start();
    await service.send({ n: 1 });
    const dead = async () => {
      const { rows } = await service.pool.query<{ n: number }>(
        `select count(*)::int as n from jobs.job where name = '${QUEUE}_dead'`,
      );
      return rows[0]?.n === 1;
    };
    await until(dead);
    expect(tries).toBe(3);
  });

  it('wait their time, and are not added twice under one key while they wait', async () => {
    const service = replica();
    const done: number[] = [];
    service.jobs.work<Errand>(QUEUE, ({ n }) => Promise.resolve(void done.push(n)));
    service.start();
    const later = { startAfter: new Date(Date.now() + 3_600_000), key: 'one' };
    await service.send({ n: 1 }, later);
    await service.send({ n: 2 }, later);
    await service.send({ n: 3 });
    await until(() => done.length > 0);
    const { rows } = await service.pool.query('select id from jobs.job where singleton_key = $1', [
      'one',
    ]);
    expect(rows).toHaveLength(1);
    expect(done).toEqual([3]);
  });

  it('are handed back when the service stops before they are done', async () => {
    const first = replica();
    let taken = false;
    first.jobs.work(QUEUE, async (_errand, { signal }) => {
      taken = true;
      await once(signal, 'abort');
      throw new Error('stopped');
    });
    first.start();
    await first.send({ n: 1 });
    await until(() => taken);
    await first.jobs.beforeApplicationShutdown();
    const second = replica();
    let done = false;
    second.jobs.work(QUEUE, () => Promise.resolve(void (done = true)));
    second.start();
    await until(() => done);
  });

  it('keep no service from stopping whose database is away', async () => {
    const service = replica(PATIENT, 'postgres://nobody@127.0.0.1:1/none');
    service.jobs.work(QUEUE, () => Promise.resolve());
    service.start();
    await service.jobs.beforeApplicationShutdown();
    expect(() => service.jobs.checkReadiness()).toThrow('not open yet');
  });

  it('are for queues that were declared', () => {
    const work = () => replica().jobs.work('made-up', () => Promise.resolve());
    expect(work).toThrow('No queue made-up was declared.');
  });

  it('are done by another when the process that had them is killed', async () => {
    const opener = replica();
    opener.start();
    await opener.send({ n: 1 });
    const victim = spawn(process.execPath, [
      join(__dirname, 'hanging-worker.mjs'),
      database.url,
      QUEUE,
    ]);
    let output = '';
    victim.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await until(() => output.includes('taken'));
    victim.kill('SIGKILL');
    await once(victim, 'exit');

    const survivor = replica();
    let done = 0;
    survivor.jobs.work<Errand>(QUEUE, ({ n }) => Promise.resolve(void (done = n)));
    survivor.start();
    await until(() => done === 1);
  }, 60_000);
});
