import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

/**
 * V8 sizes its young generation by the machine, up to 128 MB for a service whose live heap is 40, and
 * takes memory where it can be faster for it. Four services share a developer's machine here; a deployment
 * sets limits of its own.
 */
const SMALL_HEAP = [
  ...['--max-semi-space-size=2', '--max-old-space-size=256'],
  ...['--optimize-for-size', '--v8-pool-size=1'],
];

const PRELOADED = ['die-with-parent.mjs', 'drizzle-imports.mjs'].flatMap((file) => [
  '--import',
  pathToFileURL(join(import.meta.dirname, file)).href,
]);

/** How long a service may take to shut down before it is killed. */
const STOP_WITHIN_MS = 3_500;
const LAST_LINES_WITHIN_MS = 250;

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ServiceProcess {
  pid: number;
  exited: Promise<Exit>;
  /** Sends a signal and waits for the end, which the signal has to bring about. */
  kill(signal: NodeJS.Signals): Promise<Exit>;
  /** SIGTERM, and SIGKILL for the service and its descendants when that does not help. */
  stop(): Promise<Exit>;
}

/**
 * Runs a JavaScript file in a Node process of its own, with `env` as its whole environment. It ends
 * when this process does.
 *
 * @param within a command that runs the one behind it, such as `nice`; none by default
 */
export function startProcess(
  main: string,
  env: NodeJS.ProcessEnv,
  onLine: (line: string, stream: 'stdout' | 'stderr') => void,
  within: readonly string[] = [],
): ServiceProcess {
  const [command, ...words] = [...within, process.execPath];
  const child = spawn(command, [...words, ...SMALL_HEAP, ...PRELOADED, main], {
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Out of the terminal's process group: Ctrl-C is for the launcher, which stops things in order.
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`Cannot run ${process.execPath}.`);
  for (const stream of ['stdout', 'stderr'] as const) {
    const input = child[stream];
    if (input) createInterface({ input }).on('line', (line) => onLine(line, stream));
  }
  const exited = exitOf(child);
  return {
    pid,
    exited,
    kill(signal) {
      child.kill(signal);
      return exited;
    },
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => killGroup(pid), STOP_WITHIN_MS);
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
}

/** Waits for the last lines too, but not for descendants that keep the streams open. */
function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      const done = () => resolve({ code, signal });
      child.once('close', done);
      setTimeout(done, LAST_LINES_WITHIN_MS);
    });
  });
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Already gone.
  }
}
