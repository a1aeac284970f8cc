import { startThrowAwayPostgres } from '@signet/launcher';
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** An auth service in a process of its own, on a database that is thrown away. */
export interface AuthService {
  url: string;
  /** Of the confidential client `orders`. */
  clientSecret: string;
  /** Microseconds of processor time that the process has used, in all its threads. */
  cpu: () => Promise<number>;
  /** Bytes of memory that the process has. */
  memory: () => Promise<number>;
  /** Kills the process. */
  crash: () => Promise<void>;
  /** Starts it again, at the same address. */
  restart: () => Promise<void>;
  stop: () => Promise<void>;
}

const WITHOUT_LIMITS = {
  RATE_LIMIT_PER_MINUTE: '100000000',
  SIGNET_LOGIN_ATTEMPTS: '100000000',
  SIGNET_LOGIN_ATTEMPTS_TOTAL: '100000000',
  SIGNET_LOGIN_ATTEMPTS_SOURCE: '100000000',
  SIGNET_REGISTRATIONS_PER_HOUR: '100000000',
};

const READY_WITHIN_MS = 30_000;

export async function startAuthService(): Promise<AuthService> {
  const database = await startThrowAwayPostgres();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const clientSecret = randomSecret();
  const env = {
    ...{ PATH: process.env.PATH, PORT: String(port), LOG_LEVEL: 'error', ...WITHOUT_LIMITS },
    DATABASE_URL: database.url,
    SIGNET_ISSUER: url,
    SIGNET_KEY_ENCRYPTION_KEY: randomSecret(),
    SIGNET_COOKIE_SECRET: randomSecret(),
    SIGNET_ORDERS_CLIENT_SECRET: clientSecret,
  };
  const start = () =>
    fork(join(import.meta.dirname, 'server.ts'), { serialization: 'advanced', env });
  let child = start();
  const end = async (signal: NodeJS.Signals) => {
    const ended = child.exitCode === null && child.signalCode === null && once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  const stop = async () => {
    await end('SIGTERM');
    await database.stop();
  };
  try {
    await ready(url);
  } catch (error) {
    await stop();
    throw error;
  }
  const usage = async () => {
    child.send('usage');
    return ((await once(child, 'message')) as [NodeJS.CpuUsage & { memory: number }])[0];
  };
  return {
    ...{ url, clientSecret, stop },
    cpu: async () => {
      const { user, system } = await usage();
      return user + system;
    },
    memory: async () => (await usage()).memory,
    crash: () => end('SIGKILL'),
    restart: () => {
      child = start();
      return ready(url);
    },
  };
}

async function ready(url: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(50);
  }
  throw new Error('The auth service did not become ready.');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}
