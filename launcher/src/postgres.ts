import { spawn, execFile, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, lstat, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import {
  assertOwnedBy,
  clusterHome,
  clusterHomes,
  ownDirectory,
  postgresAccount,
  type Account,
} from './postgres-account.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import { stopOrphan } from './postgres-orphan.ts';

export const SUPERUSER = 'postgres';
const STOP_WITHIN_MS = 1_500;

export interface PostgresOptions {
  /** Directory of the cluster; made, and the cluster in it initialised, when missing. */
  dir: string;
  port: number;
  /** The superuser's password: of the new cluster, or the one an existing cluster was made with. */
  password: string;
  /** Trades safety against a power failure for speed, for servers that outlive nothing. */
  throwAway?: boolean;
  /** Told, in one line, what an earlier server left behind. */
  onNotice?: (line: string) => void;
}

export interface PostgresServer {
  /** The superuser's connection URL to the database `postgres`. */
  url: string;
  port: number;
  pid: number;
  /** Settles when the server has ended, by `stop` or by itself. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null; lastLines: string[] }>;
  /** Disconnects everyone and shuts down cleanly. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL on 127.0.0.1 and waits until it accepts connections. It ends with this process,
 * however this process ends.
 *
 * @throws Error with the server's own words when it does not come up.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const account = await postgresAccount();
  const { initdb, postgres } = await postgresBinaries(account);
  const home = await clusterHome(options.dir, account);
  const data = join(home, 'data');
  if (await lstat(data).catch(() => undefined)) {
    await assertOwnedBy(data, account?.uid ?? process.getuid?.());
    const orphan = await stopOrphan(data);
    if (orphan)
      options.onNotice?.(
        `Stopped the PostgreSQL (pid ${orphan}) that an earlier start left behind.`,
      );
  } else {
    await initialise(initdb, home, options, account);
  }
  return launch(postgres, data, options, account);
}

/** A server with an empty cluster in a temporary directory; `stop` removes every trace of it. */
export async function startThrowAwayPostgres(): Promise<PostgresServer> {
  const dir = await mkdtemp(join(tmpdir(), 'signet-postgres-'));
  const password = randomBytes(24).toString('base64url');
  const start = async (attempts: number): Promise<PostgresServer> =>
    startPostgres({ dir, port: await freePort(), password, throwAway: true }).catch(
      // Between finding a free port and using it, another process may have taken it.
      (error: unknown) => {
        if (attempts > 1 && String(error).includes('could not bind')) return start(attempts - 1);
        throw error;
      },
    );
  try {
    const server = await start(5);
    const stop = async () => {
      await server.stop();
      await removePostgres(dir);
    };
    return { ...server, stop };
  } catch (error) {
    await removePostgres(dir);
    throw error;
  }
}

/** Deletes the cluster of `dir`, stopping a server that still runs on it. */
export async function removePostgres(dir: string): Promise<void> {
  for (const home of await clusterHomes(dir)) {
    await stopOrphan(join(home, 'data'));
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A port that nothing listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Fills a directory beside the final one and renames it, so that a cluster is whole or missing. */
async function initialise(
  initdb: string,
  home: string,
  { password, throwAway }: PostgresOptions,
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
    await promisify(execFile)(initdb, options, { ...account, cwd: home, env: { TZ: 'UTC' } });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(partial, join(home, 'data'));
}

/**
 * PostgreSQL in place of a shell which has first set a watch on descriptor 3, a pipe from this
 * process: when this process ends, even by SIGKILL, the pipe closes and the watch asks for a fast
 * shutdown. `$$` cannot have become another process: it names the process group that the watch
 * itself keeps alive. The watch is orphaned on purpose, the server must not see a child it does
 * not know.
 */
const WATCHED = `
  discard=$1; shift
  ( {
    read -r _ <&3
    kill -INT $$
    if [ -n "$discard" ]; then
      for wait in 1 2 3 4 5 6 7 8 9 10; do [ -e "$discard/postmaster.pid" ] && sleep 0.2; done
      rm -rf "$discard"
    fi
  } </dev/null >/dev/null 2>&1 & )
  exec 3<&- "$@"`;

async function launch(
  postgres: string,
  data: string,
  { port, password, throwAway, onNotice }: PostgresOptions,
  account: Account | undefined,
): Promise<PostgresServer> {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    logging_collector: 'off',
    ...(throwAway && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(
    'sh',
    ['-c', WATCHED, 'sh', throwAway ? data : '', postgres, '-D', data, ...flags],
    {
      ...account,
      cwd: data,
      env: { PATH: process.env.PATH, TZ: 'UTC' },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      // Out of the terminal's process group: Ctrl-C is for the launcher, which stops services first.
      detached: true,
    },
  );
  const lastLines: string[] = [];
  const exited = ended(child, lastLines);
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr ?? raise('no stderr') }).on('line', (line) => {
      lastLines.splice(0, Math.max(0, lastLines.length - 19));
      lastLines.push(line);
      if (line.includes('was not properly shut down'))
        onNotice?.('PostgreSQL recovered from a crash.');
      if (line.includes('database system is ready to accept connections')) resolve();
    });
    void exited.then(() => reject(new Error(`PostgreSQL did not start:\n${lastLines.join('\n')}`)));
  });
  return {
    url: `postgresql://${SUPERUSER}:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`,
    port,
    pid: child.pid ?? raise('no pid'),
    exited,
    stop: () => shutDown(child, exited),
  };
}

function ended(child: ChildProcess, lastLines: string[]): PostgresServer['exited'] {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      lastLines.push(error.message);
      resolve({ code: null, signal: null, lastLines });
    });
    child.once('exit', (code, signal) => {
      // Closing the pipe lets the watch go, which would otherwise wait for this process to end.
      (child.stdio[3] as Socket | null)?.destroy();
      resolve({ code, signal, lastLines });
    });
  });
}

async function shutDown(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGINT');
  const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_WITHIN_MS);
  await exited;
  clearTimeout(timer);
}

function raise(message: string): never {
  throw new Error(message);
}
