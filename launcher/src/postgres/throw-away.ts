import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../processes/ports.ts';
import { removeCluster } from './cluster.ts';
import { startPostgres, type PostgresServer } from './server.ts';

const ATTEMPTS = 5;

/**
 * A server of one's own with an empty cluster, for tests: on a free port and in a temporary
 * directory. `stop` removes every trace of it; should this process be killed, it ends by itself.
 */
export async function startThrowAwayPostgres(): Promise<PostgresServer> {
  const dir = await mkdtemp(join(tmpdir(), 'signet-postgres-'));
  try {
    const server = await startOnFreePort(dir, randomBytes(24).toString('base64url'));
    return {
      ...server,
      async stop() {
        await server.stop();
        await removeCluster(dir);
      },
    };
  } catch (error) {
    await removeCluster(dir);
    throw error;
  }
}

/** Between finding a free port and listening on it, another process may have taken it. */
async function startOnFreePort(
  dir: string,
  password: string,
  attempts = ATTEMPTS,
): Promise<PostgresServer> {
  const [port = 0] = await freePorts(1);
  try {
    return await startPostgres({ dir, port, password, throwAway: true });
  } catch (error) {
    if (attempts > 1 && String(error).includes('could not bind')) {
      return startOnFreePort(dir, password, attempts - 1);
    }
    throw error;
  }
}
