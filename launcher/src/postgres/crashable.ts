import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { freePorts } from '../processes/ports.ts';
import { removeCluster } from './cluster.ts';
import { startPostgres, type PostgresServer } from './server.ts';

/** Until the processes of a killed server have noticed, which hold its memory. */
const RESTART_WITHIN_MS = 20_000;

/** A server that a test kills and starts again on what it had written, always at the same address. */
export interface CrashablePostgres {
  /** The superuser's connection URL, to the database `postgres`. */
  url: string;
  /** SIGKILL for the server's first process; the others end when they notice. */
  crash(): Promise<void>;
  /** Starts it again, and waits until it has recovered. */
  restart(): Promise<void>;
  /** A superuser's connection to one of its databases, to be ended by whoever asked for it. */
  connect(database: string): Promise<Client>;
  /** Removes every trace of it. */
  stop(): Promise<void>;
}

/** Unlike a throw-away server it writes as safely as a real one: what was committed is there again. */
export async function startCrashablePostgres(): Promise<CrashablePostgres> {
  const dir = await mkdtemp(join(tmpdir(), 'signet-postgres-'));
  const [port = 0] = await freePorts(1);
  const password = randomBytes(24).toString('base64url');
  const start = () => startPostgres({ dir, port, password });
  let server = await start().catch(async (error: unknown) => {
    await removeCluster(dir);
    throw error;
  });
  return {
    url: server.url,
    async crash() {
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
    },
    async restart() {
      server = await startAgain(start);
    },
    async connect(database) {
      const url = new URL(server.url);
      url.pathname = `/${database}`;
      const client = new Client({ connectionString: url.href });
      // It may crash while this connection is open.
      client.on('error', () => undefined);
      await client.connect();
      return client;
    },
    async stop() {
      await server.stop();
      await removeCluster(dir);
    },
  };
}

async function startAgain(start: () => Promise<PostgresServer>): Promise<PostgresServer> {
  const deadline = Date.now() + RESTART_WITHIN_MS;
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}
