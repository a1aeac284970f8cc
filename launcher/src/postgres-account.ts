import { execFile } from 'node:child_process';
import { chmod, chown, lstat, mkdir, realpath } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The user that PostgreSQL runs as when the launcher is root, which PostgreSQL refuses to be. */
export interface Account {
  uid: number;
  gid: number;
}

/** Where root keeps what lies in a checkout that the account cannot enter. */
const OUTSIDE = '/var/lib/signet';

/** `nobody` for root; undefined for everyone else, who runs PostgreSQL as themselves. */
export async function postgresAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await run('id', [flag, 'nobody'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

/**
 * Prepares the directory that holds a cluster and what belongs to it. It belongs to the launcher's
 * user; the cluster inside belongs to the account. Usually that is `dir` itself; for root, when the
 * account cannot reach `dir`, a directory of root's elsewhere, always the same for the same `dir`.
 */
export async function clusterHome(dir: string, account: Account | undefined): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (account === undefined) {
    await assertOwnedBy(dir, process.getuid?.());
    return dir;
  }
  await assertOwnedBy(dir, 0);
  await chmod(dir, 0o711);
  if (await canEnter(dir, account)) return dir;
  await outsideDirectory();
  const home = await outsideHome(dir);
  await mkdir(home, { recursive: true });
  await chmod(home, 0o711);
  await assertOwnedBy(home, 0);
  return home;
}

/** Every place where `clusterHome` may have put something for `dir`. */
export async function clusterHomes(dir: string): Promise<string[]> {
  if (process.getuid?.() !== 0) return [dir];
  return [dir, await outsideHome(dir)];
}

/** Makes an empty directory that only the account may read. */
export async function ownDirectory(path: string, account: Account | undefined): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  if (account) await chown(path, account.uid, account.gid);
}

/** Root's directory for what a checkout cannot hold. */
export async function outsideDirectory(): Promise<string> {
  await mkdir(OUTSIDE, { recursive: true, mode: 0o755 });
  await assertOwnedBy(OUTSIDE, 0);
  await chmod(OUTSIDE, 0o755);
  return OUTSIDE;
}

/**
 * @throws Error when `path` is not a directory that `uid` owns and nobody else can write to: what
 * lies in it could then have been put there by another user.
 */
export async function assertOwnedBy(path: string, uid: number | undefined): Promise<void> {
  const found = await lstat(path);
  const problem = !found.isDirectory()
    ? 'is not a directory'
    : found.uid !== uid
      ? `belongs to the user with id ${found.uid}, not ${uid ?? 'to you'}`
      : (found.mode & 0o022) !== 0
        ? 'can be written to by other users'
        : undefined;
  if (problem) throw new Error(`${path} ${problem}. Remove it, or start as the user who made it.`);
}

async function outsideHome(dir: string): Promise<string> {
  const resolved = await realpath(dir).catch(() => dir);
  const name = createHash('sha256').update(resolved).digest('hex').slice(0, 16);
  return join(OUTSIDE, name);
}

async function canEnter(dir: string, account: Account): Promise<boolean> {
  return run('sh', ['-c', 'cd "$1"', 'sh', dir], { ...account, cwd: '/' }).then(
    () => true,
    () => false,
  );
}
