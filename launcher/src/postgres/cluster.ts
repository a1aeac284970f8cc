import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  assertOwnedBy,
  canEnter,
  makeOutside,
  outsideName,
  ownDirectory,
  postgresAccount,
  type Account,
} from './account.ts';
import { postgresBinaries } from './binaries.ts';
import { stopServerOf } from './orphan.ts';

const run = promisify(execFile);

export const SUPERUSER = 'postgres';

/** A cluster that a server can be started on. */
export interface Cluster {
  data: string;
  /** The server's program. */
  postgres: string;
  /** Whom the server runs as, when not as the launcher's own user. */
  account: Account | undefined;
}

/**
 * The cluster that belongs to `dir`; makes it when there is none, which takes a second.
 *
 * @param password the superuser's, for a new cluster
 * @param throwAway whether a new cluster may be lost in a power failure
 */
export async function openCluster(
  dir: string,
  password: string,
  throwAway = false,
): Promise<Cluster> {
  const account = await postgresAccount();
  const { initdb, postgres } = await postgresBinaries(account);
  const home = await clusterHome(dir, account);
  const data = join(home, 'data');
  if (await exists(data)) {
    await assertOwnedBy(data, account?.uid ?? process.getuid?.());
  } else {
    await initialise(initdb, home, password, throwAway, account);
  }
  return { data, postgres, account };
}

/**
 * Stops a server that still runs on the cluster of `dir` though whoever started it is gone.
 *
 * @returns its process id, undefined when there was none
 */
export async function stopLeftServer(dir: string): Promise<number | undefined> {
  for (const home of await possibleHomes(dir)) {
    const stopped = await stopServerOf(join(home, 'data'));
    if (stopped !== undefined) return stopped;
  }
  return undefined;
}

/** Deletes the cluster of `dir`. No server may run on it. */
export async function removeCluster(dir: string): Promise<void> {
  // Not Node's rm: the account could lead that astray with symlinks while root deletes.
  await run('rm', ['-rf', '--', ...(await possibleHomes(dir))]);
}

/**
 * Prepares the directory that holds the cluster. It belongs to the launcher's user; the cluster in
 * it belongs to the account. It is `dir` itself, or, for root when the account cannot reach `dir`,
 * a directory of root's elsewhere.
 */
async function clusterHome(dir: string, account: Account | undefined): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await assertOwnedBy(dir, process.getuid?.());
  if (account === undefined) return dir;
  await chmod(dir, 0o711);
  const home = await outsideName(dir, 'cluster');
  if ((await canEnter(dir, account)) && !(await exists(home))) return dir;
  if (await exists(join(dir, 'data'))) {
    throw new Error(
      `The user that PostgreSQL runs as (${account.uid}) cannot enter ${dir} any more. ` +
        'Let it pass the directories above, or start afresh with --reset.',
    );
  }
  await makeOutside();
  await mkdir(home, { recursive: true });
  await assertOwnedBy(home, 0);
  await chmod(home, 0o711);
  return home;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

async function possibleHomes(dir: string): Promise<string[]> {
  return process.getuid?.() === 0 ? [dir, await outsideName(dir, 'cluster')] : [dir];
}

/** Fills a directory beside the final one and renames it, so that a cluster is whole or missing. */
async function initialise(
  initdb: string,
  home: string,
  password: string,
  throwAway: boolean,
  account: Account | undefined,
): Promise<void> {
  for (const left of (await readdir(home)).filter((name) => name.startsWith('new-'))) {
    await rm(join(home, left), { recursive: true, force: true, maxRetries: 5 });
  }
  const partial = join(home, `new-${randomBytes(4).toString('hex')}`);
  const passwordFile = `${partial}.password`;
  await ownDirectory(partial, account);
  await writeFile(passwordFile, password, { mode: 0o600, flag: 'wx' });
  if (account) await chown(passwordFile, account.uid, account.gid);
  const options = [
    ...['--pgdata', partial, '--username', SUPERUSER, '--pwfile', passwordFile],
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C'],
    // The same order of texts on every machine, whatever its locales.
    ...['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
    ...(throwAway ? ['--no-sync'] : []),
  ];
  try {
    await run(initdb, options, { ...account, cwd: home, env: { TZ: 'UTC' } });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(partial, join(home, 'data'));
}
