import pg from 'pg';
import { readdirSync, readFileSync } from 'node:fs';

/** Of the clock in which Linux counts a process's time, on all usual machines. */
const MS_A_TICK = 10;

/** Milliseconds of processor time that processes have used, in all their threads. Linux alone tells. */
export function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (statOf(pid)?.own ?? NaN), 0);
}

/** As `cpuOf`, of a process and all its children, those that have ended included. */
export function cpuOfFamily(parent: number): number {
  const children = readdirSync('/proc')
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat?.parent === parent)
    .reduce((sum, stat) => sum + (stat?.own ?? 0), 0);
  const { own = NaN, ended = NaN } = statOf(parent) ?? {};
  return own + ended + children;
}

/** The id of PostgreSQL's first process. Only a superuser may ask. */
export async function postmasterOf(databaseUrl: string): Promise<number> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const { rows } = await client.query<{ pid: string }>(
    `select split_part(pg_read_file('postmaster.pid'), e'\\n', 1) as pid`,
  );
  await client.end();
  return Number(rows[0]?.pid);
}

/** Bytes of memory that a process has. */
export function memoryOf(pid: number): number {
  const [, kilobytes = 'NaN'] = /^VmRSS:\s+(\d+) kB$/m.exec(procFile(pid, 'status')) ?? [];
  return Number(kilobytes) * 1024;
}

function statOf(pid: number): { parent: number; own: number; ended: number } | undefined {
  const text = Number.isInteger(pid) ? procFile(pid, 'stat') : '';
  // The name in front may have anything in it. What follows is numbered from 3 (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 15) return undefined;
  const [parent = 0, user = 0, system = 0, childUser = 0, childSystem = 0] = [
    1, 11, 12, 13, 14,
  ].map((field) => Number(fields[field]));
  return {
    parent,
    own: (user + system) * MS_A_TICK,
    ended: (childUser + childSystem) * MS_A_TICK,
  };
}

function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
