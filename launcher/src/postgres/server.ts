import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { openCluster, SUPERUSER, type Cluster } from './cluster.ts';

/** How long a fast shutdown may take before an immediate one, after which the next start recovers. */
const STOP_WITHIN_MS = 1_200;
const KEPT_LINES = 20;

export interface PostgresOptions {
  /** Directory of the cluster; made, and the cluster in it initialised, when missing. */
  dir: string;
  port: number;
  /** The superuser's password: of the new cluster, or the one an existing cluster was made with. */
  password: string;
  /** Trades safety for speed, and the cluster goes when this process goes. */
  throwAway?: boolean;
  /** Told, in one line, when the last shutdown was not clean. */
  onNotice?: (line: string) => void;
  /** Given each line of the server's log. */
  onLine?: (line: string) => void;
}

interface PostgresExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  lastLines: string[];
}

export interface PostgresServer {
  /** The superuser's connection URL, to the database `postgres`. */
  url: string;
  port: number;
  pid: number;
  /** Where the cluster lies. */
  data: string;
  /** Settles when the server has ended, by `stop` or by itself. */
  exited: Promise<PostgresExit>;
  /** Disconnects everyone and shuts down cleanly. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL on 127.0.0.1 and waits until it accepts connections. It ends with this process,
 * however this process ends. A server that runs on the cluster already is left alone.
 *
 * @throws Error with the server's own words when it does not come up
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { dir, port, password, throwAway } = options;
  const cluster = await openCluster(dir, password, throwAway);
  const child = launch(cluster, options);
  const lastLines: string[] = [];
  const exited = ended(child, lastLines);
  await ready(child, lastLines, exited, options);
  if (throwAway) letGo(child);
  return {
    url: `postgresql://${SUPERUSER}:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`,
    port,
    pid: child.pid ?? 0,
    data: cluster.data,
    exited,
    stop: () => shutDown(child, exited),
  };
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

function launch(
  { data, postgres, account }: Cluster,
  { port, throwAway }: PostgresOptions,
): ChildProcess {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // What goes into its log of a row that breaks a constraint is otherwise the whole row.
    log_error_verbosity: 'terse',
    ...(throwAway && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = [throwAway ? data : '', postgres, '-D', data, ...flags];
  return spawn('sh', ['-c', WATCHED, 'sh', ...command], {
    ...account,
    cwd: data,
    env: { PATH: process.env.PATH, TZ: 'UTC' },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    // Out of the terminal's process group: Ctrl-C is for the launcher, which stops services first.
    detached: true,
  });
}

function ended(child: ChildProcess, lastLines: string[]): Promise<PostgresExit> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      lastLines.push(error.message);
      resolve({ code: null, signal: null, lastLines });
    });
    child.once('exit', (code, signal) => {
      // Lets the watch go, which would otherwise wait for the end of this process.
      (child.stdio[3] as Socket | null)?.destroy();
      resolve({ code, signal, lastLines });
    });
  });
}

function ready(
  child: ChildProcess,
  lastLines: string[],
  exited: Promise<PostgresExit>,
  { onNotice, onLine }: PostgresOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const input = child.stderr;
    if (!input) throw new Error('PostgreSQL has no log.');
    createInterface({ input }).on('line', (line) => {
      lastLines.push(line);
      if (lastLines.length > KEPT_LINES) lastLines.shift();
      onLine?.(line);
      if (line.includes('database system was not properly shut down')) {
        onNotice?.('PostgreSQL had not been shut down cleanly; it recovered by itself.');
      }
      if (line.includes('database system is ready to accept connections')) resolve();
    });
    void exited.then(() => reject(new Error(`PostgreSQL did not start:\n${lastLines.join('\n')}`)));
  });
}

/** Lets this process end without having stopped the server, which then ends too. */
function letGo(child: ChildProcess): void {
  child.unref();
  for (const stream of child.stdio) (stream as Socket | null)?.unref();
}

async function shutDown(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.ref();
  child.kill('SIGINT');
  const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_WITHIN_MS);
  await exited;
  clearTimeout(timer);
}
