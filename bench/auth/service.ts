import { startCrashablePostgres } from '@signet/launcher';
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuOfFamily, postmasterOf } from '../checkout/processes.ts';

/** An auth service in a process of its own, on a database that is thrown away. */
export interface AuthService {
  url: string;
  /** Microseconds of processor time that the process has used, in all its threads. */
  cpu: () => Promise<number>;
  /** Bytes of memory that the process has. */
  memory: () => Promise<number>;
  /** Of the confidential client `orders`. */
  clientSecret: string;
  /** A superuser's connection URL. */
  databaseUrl: string;
  /** Microseconds of processor time that PostgreSQL has used, in all its processes. Linux alone tells. */
  databaseCpu: () => number;
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

/** The database writes as safely as a real one. */
export async function startAuthService(): Promise<AuthService> {
  const database = await startCrashablePostgres();
  const clientSecret = randomSecret();
  const port = await freePort();
  const environment = {
    ...{ PATH: process.env.PATH, LOG_LEVEL: 'error', ...WITHOUT_LIMITS },
    DATABASE_URL: database.url,
    SIGNET_ISSUER: urlOf(port),
    SIGNET_KEY_ENCRYPTION_KEY: randomSecret(),
    SIGNET_COOKIE_SECRET: randomSecret(),
    SIGNET_ORDERS_CLIENT_SECRET: clientSecret,
  };
  const server = new Server(port, environment);
  const stop = async () => {
    await server.end('SIGTERM');
    await database.stop();
  };
  try {
    await server.ready();
    const postmaster = await postmasterOf(database.url);
    return {
      ...{ url: urlOf(port), clientSecret, stop, databaseUrl: database.url },
      cpu: () => server.cpu(),
      memory: () => server.memory(),
      databaseCpu: () => cpuOfFamily(postmaster) * 1000,
      crash: () => server.end('SIGKILL'),
      restart: () => {
        server.start();
        return server.ready();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

class Server {
  private readonly port: number;
  private readonly environment: NodeJS.ProcessEnv;
  private child: ReturnType<typeof fork>;

  constructor(port: number, environment: NodeJS.ProcessEnv) {
    this.port = port;
    this.environment = environment;
    this.child = this.fork();
  }

  start(): void {
    this.child = this.fork();
  }

  async ready(): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (Date.now() < deadline) {
      const answer = await fetch(`${urlOf(this.port)}/health/ready`).catch(() => undefined);
      if (answer?.status === 200) return;
      await sleep(50);
    }
    throw new Error('The auth service did not become ready.');
  }

  async cpu(): Promise<number> {
    const { user, system } = await this.usage();
    return user + system;
  }

  async memory(): Promise<number> {
    return (await this.usage()).memory;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    const ended = child.exitCode === null && child.signalCode === null && once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  private fork() {
    const env = { ...this.environment, PORT: String(this.port) };
    return fork(join(import.meta.dirname, 'server.ts'), { serialization: 'advanced', env });
  }

  private async usage() {
    this.child.send('usage');
    return ((await once(this.child, 'message')) as [NodeJS.CpuUsage & { memory: number }])[0];
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}
