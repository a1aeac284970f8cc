import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { assertOwnedBy } from './postgres/account.ts';
import { removeCluster, stopLeftServer } from './postgres/cluster.ts';
import { takeRunLock, type RunLock } from './processes/run-lock.ts';

/** Secrets, what the services keep of auth's keys and revocations, and the sandbox's books. */
const MADE_BY_US = /^secrets\.json|^sandbox\.jsonl$|-(jwks\.json|revocations\.txt)$/;

/** Paths of what is kept between starts. */
export interface DataDirectory {
  secretsFile: string;
  /** Directory of the embedded PostgreSQL. */
  cluster: string;
  lock: RunLock;
}

/**
 * Opens the data directory for one launcher, and ends what an earlier one has left running in it.
 *
 * @throws {AlreadyRunningError} when another launcher has it open
 */
export async function openDataDirectory(
  path: string,
  onNotice: (line: string) => void,
): Promise<DataDirectory> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await assertOwnedBy(path, process.getuid?.());
  // For root, PostgreSQL runs as another user, who has to pass through to its own directory.
  await chmod(path, process.getuid?.() === 0 ? 0o711 : 0o700);
  const lock = await takeRunLock(path, onNotice);
  const cluster = join(path, 'postgres');
  try {
    const left = await stopLeftServer(cluster);
    if (left) onNotice(`Stopped the PostgreSQL (pid ${left}) that the last start left behind.`);
  } catch (error) {
    lock.release();
    throw error;
  }
  return { secretsFile: join(path, 'secrets.json'), cluster, lock };
}

/** Deletes everything in the data directory that a launcher made, but its lock. */
export async function clearDataDirectory(path: string): Promise<void> {
  await removeCluster(join(path, 'postgres'));
  for (const name of await readdir(path)) {
    if (MADE_BY_US.test(name)) await rm(join(path, name));
  }
}
