import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const SOURCES = join(__dirname, '..');

/** One of our main files in a process of its own, always at the same address. */
export interface RunningProcess {
  url: string;
  /** Starts it, after it was killed. */
  start(): Promise<void>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** @param main path below `src` */
export async function startProcess(
  main: string,
  environment: NodeJS.ProcessEnv,
): Promise<RunningProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const preload = pathToFileURL(join(SOURCES, 'testing/typescript.mjs')).href;
  const run = () =>
    spawn(process.execPath, ['--import', preload, join(SOURCES, main)], {
      env: { PATH: process.env.PATH, PORT: String(port), ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  let child = run();
  let complaints = '';
  const ready = async () => {
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    while (!(await answers(`${url}/health/ready`))) {
      if (child.exitCode !== null) throw new Error(`${main} ended: ${complaints}`);
      await sleep(30);
    }
  };
  await ready();
  return {
    url,
    async start() {
      child = run();
      await ready();
    },
    async kill(signal = 'SIGKILL') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
