import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const PRELOAD = new URL('typescript.mjs', import.meta.url).href;

/** A service in a process of its own, always at the same address. */
export interface ServiceProcess {
  url: string;
  /** Starts it, at first and after it was killed, and waits until it is ready. */
  start(): Promise<void>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** @param main path of its `main.ts`, which is run as it is */
export async function serviceProcess(
  main: string,
  environment: NodeJS.ProcessEnv,
): Promise<ServiceProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const run = () =>
    spawn(process.execPath, ['--import', PRELOAD, main], {
      env: { PATH: process.env.PATH, PORT: String(port), ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  let child: ReturnType<typeof run> | undefined;
  return {
    url,
    async start() {
      const started = run();
      child = started;
      let complaints = '';
      started.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
      while (!(await isReady(url))) {
        if (started.exitCode !== null) throw new Error(`${main} ended: ${complaints}`);
        await sleep(30);
      }
    },
    async kill(signal = 'SIGKILL') {
      if (child?.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/ready`)).ok;
  } catch {
    return false;
  }
}

/** Below what systems give to outgoing connections, one of which would take it while a service is down. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(randomInt(15_000, 32_000), '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  }
}
