import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { link, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';

/** What services that outlive their launcher are given to end by themselves. */
const LEFTOVER_PATIENCE_MS = 5_000;
const RUN_FILE = /^run\.(\d+)\.json$/;

interface Run {
  owner: ProcessIdentity;
  /** Whether the owner has let go of the lock. */
  released: boolean;
  services: (ProcessIdentity & { name: string })[];
}

/** One launcher at a time per data directory; also remembers what it started, for the next one. */
export interface RunLock {
  /** Notes a service's process, so that the next start finds it should this launcher be killed. */
  record(name: string, pid: number): Promise<void>;
  release(): void;
}

export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

/**
 * Takes the lock of a directory, and stops what a launcher that did not end cleanly has left.
 *
 * Each run has a file with a number, one higher than that of the run before: of several starts that
 * find the same run over, only one can make the next file. The newest file stays, also when it is
 * released, so that a number never comes twice.
 *
 * @throws {AlreadyRunningError} when the owner of the lock runs
 */
export async function takeRunLock(
  directory: string,
  onNotice: (line: string) => void,
): Promise<RunLock> {
  const owner = await identify(process.pid);
  if (!owner) throw new Error('Cannot find out when this process started.');
  const run: Run = { owner, released: false, services: [] };
  const draft = join(directory, `run.${randomBytes(6).toString('hex')}.new`);
  const write = () => writeFileSync(draft, JSON.stringify(run), { mode: 0o600, flag: 'wx' });
  write();
  const mine = await claimNext(directory, draft, onNotice).finally(() => rm(draft));
  const save = () => {
    write();
    renameSync(draft, mine);
  };
  return {
    async record(name, pid) {
      const identity = await identify(pid);
      if (!identity) return;
      run.services = [
        ...run.services.filter((known) => known.name !== name),
        { name, ...identity },
      ];
      save();
    },
    release() {
      run.released = true;
      save();
    },
  };
}

/** @returns the file that is this run's now */
async function claimNext(
  directory: string,
  draft: string,
  onNotice: (line: string) => void,
): Promise<string> {
  const numbers = (await readdir(directory)).map((name) => Number(RUN_FILE.exec(name)?.[1] ?? 0));
  const newest = Math.max(0, ...numbers);
  const fileOf = (number: number) => join(directory, `run.${number}.json`);
  const previous = newest > 0 ? await readRun(fileOf(newest)) : undefined;
  if (previous && !previous.released && (await isRunning(previous.owner))) {
    throw new AlreadyRunningError(
      `Signet is already running from this directory (pid ${previous.owner.pid}). ` +
        'Stop that one first, with Ctrl-C in its terminal.',
    );
  }
  const mine = fileOf(newest + 1);
  if (!(await linked(draft, mine))) return claimNext(directory, draft, onNotice);
  for (const number of numbers) if (number > 0) await rm(fileOf(number), { force: true });
  if (previous && !previous.released) {
    onNotice(noticeFor(previous, await stopServices(previous.services)));
  }
  return mine;
}

/** A link fails when its name exists: unlike writing, it makes the whole file appear at once. */
async function linked(existing: string, name: string): Promise<boolean> {
  try {
    await link(existing, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A file that is damaged counts as one of a run long over. */
async function readRun(file: string): Promise<Run | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Run;
  } catch {
    return undefined;
  }
}

function noticeFor({ owner }: Run, stopped: string[]): string {
  const left = stopped.length > 0 ? `stopped ${stopped.join(', ')}` : 'nothing of it still runs';
  return `The last start (pid ${owner.pid}) did not end cleanly: ${left}.`;
}

/** @returns which of the services were still running */
async function stopServices(services: Run['services']): Promise<string[]> {
  const names = await Promise.all(
    services.map(async (service) => {
      if (!(await isRunning(service))) return undefined;
      process.kill(service.pid, 'SIGTERM');
      const deadline = Date.now() + LEFTOVER_PATIENCE_MS;
      while (await isRunning(service)) {
        if (Date.now() > deadline) process.kill(service.pid, 'SIGKILL');
        await sleep(25);
      }
      return `${service.name} (pid ${service.pid})`;
    }),
  );
  return names.filter((name) => name !== undefined);
}
