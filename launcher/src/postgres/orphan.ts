import { execFile } from 'node:child_process';
import { readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Fast shutdown, then immediate shutdown, then no more asking; each with the time it is given. */
const STEPS = [
  ['SIGINT', 10_000],
  ['SIGQUIT', 3_000],
  ['SIGKILL', 3_000],
] as const;

/**
 * Stops the server that runs on the cluster in `data`, if one does, and waits until it has ended.
 * A process counts as that server only if it really works in this directory: process ids are used
 * again, and a stale postmaster.pid may name anyone's process.
 *
 * @returns the process id of the server that was stopped, undefined when there was none.
 */
export async function stopServerOf(data: string): Promise<number | undefined> {
  const pid = await runningServer(data);
  if (pid === undefined) return undefined;
  for (const [signal, patience] of STEPS) {
    process.kill(pid, signal);
    const deadline = Date.now() + patience;
    while (Date.now() < deadline) {
      await sleep(25);
      if ((await runningServer(data)) !== pid) return pid;
    }
  }
  throw new Error(`PostgreSQL (pid ${pid}) still holds ${data} and cannot be stopped.`);
}

async function runningServer(data: string): Promise<number | undefined> {
  const file = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(file.split('\n')[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
  return (await worksIn(pid, await realpath(data))) ? pid : undefined;
}

/** The postmaster makes its cluster's directory its working directory. */
async function worksIn(pid: number, directory: string): Promise<boolean> {
  if (process.platform === 'linux') {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    return cwd === directory && name.trim() === 'postgres';
  }
  const listed = await promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', String(pid)]).catch(
    () => ({ stdout: '' }),
  );
  return listed.stdout.includes('postgres') && listed.stdout.includes(` ${directory} `);
}
