import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A process that can be told from a later one with the same id. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in whatever way the operating system tells. */
  startedAt: string;
}

/** The identity of a running process; undefined when there is none. A zombie does not run. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const [state, startedAt] = process.platform === 'linux' ? await fromProc(pid) : await fromPs(pid);
  if (!state || !startedAt || state.startsWith('Z') || state.startsWith('X')) return undefined;
  return { pid, startedAt };
}

export async function isRunning({ pid, startedAt }: ProcessIdentity): Promise<boolean> {
  return (await identify(pid))?.startedAt === startedAt;
}

/** proc(5): the state and the start time are fields 3 and 22; field 2, in parentheses, is free text. */
async function fromProc(pid: number): Promise<(string | undefined)[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [fields[0], fields[19]];
}

async function fromPs(pid: number): Promise<(string | undefined)[]> {
  const run = promisify(execFile)('ps', ['-o', 'state=,lstart=', '-p', String(pid)]);
  const { stdout } = await run.catch(() => ({ stdout: '' }));
  const [state, ...started] = stdout.trim().split(/\s+/);
  return [state, started.join(' ')];
}
