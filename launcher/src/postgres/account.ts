import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The user that PostgreSQL runs as when the launcher is root, which PostgreSQL refuses to be. */
export interface Account {
  uid: number;
  gid: number;
}

/** Where root keeps what would lie in a checkout that the account cannot enter. */
const OUTSIDE = '/var/lib/signet';

/** `nobody` for root; undefined for everyone else, who runs PostgreSQL as themselves. */
export async function postgresAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await run('id', [flag, 'nobody'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

/** Makes an empty directory that only the account may read. */
export async function ownDirectory(path: string, account: Account | undefined): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  if (account) await chown(path, account.uid, account.gid);
}

/** Makes OUTSIDE, where only root may write and everyone may pass. */
export async function makeOutside(): Promise<void> {
  await mkdir(OUTSIDE, { recursive: true, mode: 0o755 });
  await assertOwnedBy(OUTSIDE, 0);
  await chmod(OUTSIDE, 0o755);
}

/** The name, below OUTSIDE, that stands for `path`: always the same for the same path. */
export async function outsideName(path: string, prefix: string): Promise<string> {
  const resolved = await realpath(path).catch(() => path);
  const hash = createHash('sha256').update(resolved).digest('hex').slice(0, 16);
  return join(OUTSIDE, `${prefix}-${hash}`);
}

export async function canEnter(dir: string, account: Account): Promise<boolean> {
  return run('sh', ['-c', 'cd "$1"', 'sh', dir], { ...account, cwd: '/' }).then(
    () => true,
    () => false,
  );
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
