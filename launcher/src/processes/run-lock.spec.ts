import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify } from './process-identity.ts';
import { AlreadyRunningError, takeRunLock } from './run-lock.ts';

let dir: string;
const notices: string[] = [];
const take = () => takeRunLock(dir, (line) => notices.push(line));

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'signet-lock-'));
  notices.splice(0);
});
afterEach(() => rm(dir, { recursive: true }));

it('belongs to one at a time', async () => {
  const lock = await take();
  await expect(take()).rejects.toThrow(AlreadyRunningError);
  await expect(take()).rejects.toThrow(`(pid ${process.pid})`);
  lock.release();
  (await take()).release();
  expect(notices).toEqual([]);
});

it('goes to exactly one of many that want it at once, a stale one too', async () => {
  await previousRun({ pid: 1, startedAt: 'long ago' });
  const takers = await Promise.allSettled(Array.from({ length: 20 }, take));
  expect(takers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(notices).toEqual([
    'The last start (pid 1) did not end cleanly: nothing of it still runs.',
  ]);
});

it('is taken from an owner whose process id is another process now', async () => {
  await previousRun({ pid: process.pid, startedAt: 'long ago' });
  (await take()).release();
});

it('is taken over when the file is damaged', async () => {
  await writeFile(join(dir, 'run.9.json'), '{');
  (await take()).release();
  expect(await readdir(dir)).toEqual(['run.10.json']);
});

it('ends the services that a dead owner has left, and no process that has their id now', async () => {
  const [left, bystander] = [spawn('sleep', ['60']), spawn('sleep', ['60'])];
  await Promise.all([once(left, 'spawn'), once(bystander, 'spawn')]);
  const services = [
    { name: 'auth', ...(await identify(left.pid ?? 0)) },
    { name: 'orders', pid: bystander.pid, startedAt: 'long ago' },
  ];
  await previousRun({ pid: 1, startedAt: '' }, services);
  const gone = once(left, 'exit');
  const lock = await take();
  expect(await gone).toEqual([null, 'SIGTERM']);
  expect(await identify(bystander.pid ?? 0)).toBeDefined();
  expect(notices).toEqual([
    `The last start (pid 1) did not end cleanly: stopped auth (pid ${left.pid ?? 0}).`,
  ]);
  bystander.kill();
  lock.release();
});

async function previousRun(owner: object, services: object[] = []): Promise<void> {
  const run = { owner, released: false, services };
  await writeFile(join(dir, 'run.8.json'), JSON.stringify(run));
}
