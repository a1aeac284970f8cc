import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { link, readFile, rename, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';

/** What services that outlive their launcher are given to end by themselves. */
const LEFTOVER_PATIENCE_MS = 5_000;

interface Run {
  owner: ProcessIdentity;
  services: (ProcessIdentity & { name: string })[];
}

/** One launcher at a time per data directory; also remembers what it started, for the next one. */
export interface RunLock {
  /** Notes a service's process, so that the next start finds it should this launcher be killed. */
  record(name: string, pid: number): Promise<void>;
  release(): Promise<void>;
}

export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

/**
 * Takes the lock, and first stops what a launcher that did not end cleanly has left running.
 *
 * @throws {AlreadyRunningError} when the owner of the lock runs
 */
export async function takeRunLock(
  file: string,
  onNotice: (line: string) => void,
): Promise<RunLock> {
  const owner = await identify(process.pid);
  if (!owner) throw new Error('Cannot find out when this process started.');
  const run: Run = { owner, services: [] };
  const mine = `${file}.${randomBytes(6).toString('hex')}`;
  const write = () => writeFileSync(mine, JSON.stringify(run), { mode: 0o600, flag: 'wx' });
  write();
  try {
    while (!(await linked(mine, file))) await clearStale(file, onNotice);
  } finally {
    await rm(mine, { force: true });
  }
  return {
    async record(name, pid) {
      const identity = await identify(pid);
      if (!identity) return;
      run.services = [
        ...run.services.filter((known) => known.name !== name),
        { name, ...identity },
      ];
      write();
      renameSync(mine, file);
    },
    release: () => rm(file, { force: true }),
  };
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

async function clearStale(file: string, onNotice: (line: string) => void): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const run = parse(text);
  if (run && (await isRunning(run.owner))) {
    throw new AlreadyRunningError(
      `Signet is already running from this directory (pid ${run.owner.pid}). ` +
        'Stop that one first, with Ctrl-C in its terminal.',
    );
  }
  const stopped = await stopServices(run?.services ?? []);
  const moved = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(file, moved);
  } catch {
    return; // Another start was faster: look again.
  }
  // Should the file have become another start's own in the meantime, that one gets it back.
  if ((await readFile(moved, 'utf8')) !== text) await linked(moved, file);
  else onNotice(noticeFor(run, stopped));
  await rm(moved, { force: true });
}

function parse(text: string): Run | undefined {
  try {
    return JSON.parse(text) as Run;
  } catch {
    return undefined;
  }
}

function noticeFor(run: Run | undefined, stopped: string[]): string {
  const who = run ? `The last start (pid ${run.owner.pid})` : 'The last start';
  const left = stopped.length > 0 ? `stopped ${stopped.join(', ')}` : 'nothing of it still runs';
  return `${who} did not end cleanly: ${left}.`;
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
