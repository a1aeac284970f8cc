import { startCrashablePostgres, startSystem } from '@signet/launcher';
import type { RunningService, System } from '@signet/launcher';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Limits are for strangers. Who was asleep complains of what it missed, by warnings. */
const WITHOUT_LIMITS = {
  ...{ RATE_LIMIT_PER_MINUTE: '100000000', SIGNET_REGISTRATIONS_PER_HOUR: '100000000' },
  ...{ SIGNET_LOGIN_ATTEMPTS: '100000000', SIGNET_LOGIN_ATTEMPTS_TOTAL: '100000000' },
  ...{ SIGNET_LOGIN_ATTEMPTS_SOURCE: '100000000', LOG_LEVEL: 'error' },
};

/** pino's number for an error. */
const ERROR = 50;

export const PRICE = 1_299;

/** The whole system, with two replicas of orders and of inventory, and what there is to buy. */
export interface Shop {
  system: System;
  /** The second of orders and of inventory. */
  replicas: RunningService[];
  /** Their addresses: the second's is there always, the process may sleep. */
  orders: readonly [string, string];
  /** Access tokens of customers. */
  customers: string[];
  skus: string[];
  /** A superuser's connection URL to the database of a service. */
  databaseUrl: (service: string) => string;
  /** Stops the replicas where they are, as if they were not there; and wakes them. */
  sleep: () => void;
  wake: () => Promise<void>;
  stop: () => Promise<void>;
}

/** @param size how many customers and products there are */
export async function openShop(size: number): Promise<Shop> {
  const postgres = await startCrashablePostgres();
  const dataDir = await mkdtemp(join(tmpdir(), 'signet-bench-'));
  const stopDatabase = async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  const system = await startSystem({
    ...{ dataDir, ports: 'free', databaseUrl: postgres.url },
    environment: { PATH: process.env.PATH, ...WITHOUT_LIMITS },
    onLog: (service, line) => {
      if (line.level >= ERROR && !isEnding) process.stderr.write(`${service}: ${line.text}\n`);
    },
  }).catch(async (error: unknown) => {
    await stopDatabase();
    throw error;
  });
  let replicas: RunningService[] = [];
  let isEnding = false;
  const signal = (name: NodeJS.Signals) => {
    for (const { pid } of replicas) process.kill(pid, name);
  };
  const stop = async () => {
    isEnding = true;
    signal('SIGCONT');
    await system.stop();
    await stopDatabase();
  };
  try {
    const inventory = await system.startReplica('inventory');
    const orders = await system.startReplica('orders', {
      environment: (own) => ({ ...own, SIGNET_INVENTORY_URL: inventory.url }),
    });
    replicas = [orders, inventory];
    return {
      ...{ system, replicas, stop },
      ...{ customers: await customersOf(system, size), skus: await stock(system, size) },
      orders: [system.services.orders.url, orders.url],
      databaseUrl: (service) => new URL(`/signet_${service}`, postgres.url).href,
      sleep: () => signal('SIGSTOP'),
      wake: async () => {
        signal('SIGCONT');
        for (const replica of replicas) await ready(replica);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function ready({ url }: RunningService): Promise<void> {
  while ((await fetch(`${url}/health/ready`)).status !== 200) await sleep(20);
}

async function customersOf({ services }: System, count: number): Promise<string[]> {
  const tokens: string[] = [];
  while (tokens.length < count) {
    const account = { email: `${randomUUID()}@example.com`, password: randomUUID() };
    tokens.push(await tokenFrom(`${services.auth.url}/auth/register`, account));
  }
  return tokens;
}

async function stock({ services, accounts }: System, count: number): Promise<string[]> {
  const keeper = accounts.find(({ role }) => role === 'warehouse');
  if (!keeper) throw new Error('Nobody keeps the warehouse.');
  const { email, password } = keeper;
  const token = await tokenFrom(`${services.auth.url}/auth/login`, { email, password });
  const products = `${services.inventory.url}/products`;
  const skus = Array.from({ length: count }, () => randomUUID().toUpperCase());
  for (const sku of skus) {
    const price = { amount: PRICE, currency: 'EUR' };
    await post(products, { sku, name: 'Stoneware mug', price }, token);
    await post(`${products}/${sku}/stock`, { delta: 1_000_000, reason: 'delivery' }, token);
  }
  return skus;
}

async function tokenFrom(url: string, account: object): Promise<string> {
  return (await post(url, account)).access_token as string;
}

async function post(url: string, body: object, token?: string): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}
