import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readdir, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { freePorts } from '../processes/ports.ts';
import { identify } from '../processes/process-identity.ts';
import { removeCluster, stopLeftServer } from './cluster.ts';
import { startPostgres, type PostgresServer } from './server.ts';
import { startThrowAwayPostgres } from './throw-away.ts';

describe('a throw-away server', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startThrowAwayPostgres();
  });
  afterAll(() => server.stop());

  it('listens on 127.0.0.1 and on no socket in the file system', async () => {
    expect(await ask(server.url, 'SHOW listen_addresses')).toBe('127.0.0.1');
    expect(await ask(server.url, 'SHOW unix_socket_directories')).toBe('');
  });

  it('lets nobody in without the password, which it stores as a SCRAM verifier', async () => {
    const url = new URL(server.url);
    url.password = 'guessed';
    await expect(ask(url.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
    const stored = await ask(server.url, 'SELECT rolpassword FROM pg_authid WHERE rolcanlogin');
    expect(stored).toMatch(/^SCRAM-SHA-256\$/);
    const methods = 'SELECT DISTINCT auth_method FROM pg_hba_file_rules';
    expect(await ask(server.url, methods)).toBe('scram-sha-256');
  });

  it('is gone when it is stopped, and its directory with it', async () => {
    const other = await startThrowAwayPostgres();
    await other.stop();
    expect(await identify(other.pid)).toBeUndefined();
    await expect(access(join(other.data, '..'))).rejects.toThrow('ENOENT');
  });

  it('ends, and deletes what it stored, when whoever started it is killed', async () => {
    const owner = spawn(process.execPath, [
      '--input-type=module',
      '--eval',
      `import { startThrowAwayPostgres } from '${join(import.meta.dirname, 'throw-away.ts')}';
       const { pid, data } = await startThrowAwayPostgres();
       console.log(JSON.stringify({ pid, data }));`,
    ]);
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const { pid, data } = JSON.parse(line.toString()) as { pid: number; data: string };
    expect(await identify(pid)).toBeDefined();
    owner.kill('SIGKILL');
    await until(async () => (await identify(pid)) === undefined);
    await until(() => readdir(data).then(isEmpty, () => true));
    await removeCluster(join(data, '..'));
  });
});

describe('a server on a directory that is kept', () => {
  let dir: string;
  let port: number;
  const notices: string[] = [];
  const log: string[] = [];
  const start = () =>
    startPostgres({
      ...{ dir, port, password: 'kept' },
      onNotice: (line) => notices.push(line),
      onLine: (line) => log.push(line),
    });

  beforeAll(async () => {
    dir = await mkdtemp(join(await realpath(tmpdir()), 'signet-postgres-'));
    [port = 0] = await freePorts(1);
  });
  beforeEach(() => notices.splice(0));
  afterAll(() => removeCluster(dir));

  it('still has its data after a restart, and says nothing of it', async () => {
    const first = await start();
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const second = await start();
    expect(await ask(second.url, 'SELECT answer FROM kept')).toBe(42);
    await second.stop();
    expect(notices).toEqual([]);
  });

  it('recovers from a crash, and says so in one line', async () => {
    const first = await start();
    await ask(first.url, 'INSERT INTO kept VALUES (43)');
    process.kill(first.pid, 'SIGKILL');
    expect(await first.exited).toMatchObject({ signal: 'SIGKILL' });
    const second = await start();
    expect(await ask(second.url, 'SELECT max(answer) FROM kept')).toBe(43);
    await second.stop();
    expect(notices).toEqual(['PostgreSQL had not been shut down cleanly; it recovered by itself.']);
  });

  it('does not write rows into its log that break a rule', async () => {
    const server = await start();
    await ask(server.url, 'CREATE TABLE cards (token text, amount int CHECK (amount > 0))');
    const insert = 'INSERT INTO cards VALUES ($1, 0)';
    await expect(ask(server.url, insert, ['tok_secret'])).rejects.toThrow('cards_amount_check');
    await server.stop();
    expect(log.join()).toContain('cards_amount_check');
    expect(log.join()).not.toContain('tok_secret');
  });

  it('is not disturbed by a second start on its directory, which fails', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow('postmaster.pid');
    expect(await ask(first.url, 'SELECT 1')).toBe(1);
    await first.stop();
  });

  it('is found and stopped by its directory when its starter is gone', async () => {
    const left = await start();
    expect(await stopLeftServer(dir)).toBe(left.pid);
    expect(await left.exited).toMatchObject({ code: 0 });
    expect(await stopLeftServer(dir)).toBeUndefined();
  });

  it('is never taken for a process that was given its id afterwards', async () => {
    const bystander = spawn('sleep', ['60']);
    await once(bystander, 'spawn');
    const pid = bystander.pid ?? 0;
    await writeFile(join(dir, 'data/postmaster.pid'), `${pid}\n${join(dir, 'data')}\n`);
    expect(await stopLeftServer(dir)).toBeUndefined();
    expect(await identify(pid)).toBeDefined();
    bystander.kill();
  });
});

async function ask(url: string, sql: string, values: unknown[] = []): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, values, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

function isEmpty(names: string[]): boolean {
  return names.length === 0;
}
