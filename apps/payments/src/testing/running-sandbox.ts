import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Chaos } from '../sandbox-provider/chaos.js';
import type { Ledger } from '../sandbox-provider/ledger.js';
import { startProcess } from './running-process.js';

export const API_KEY = 'key-of-the-sandbox-in-tests';
export const WEBHOOK_SECRET = 'webhook-secret-of-the-sandbox';

/** The sandbox provider as a process of its own. */
export interface RunningSandbox {
  url: string;
  /** Turns the knobs; those that are not named go back to calm. */
  chaos(knobs: Partial<Chaos>): Promise<void>;
  ledger(): Promise<Ledger>;
  call(method: string, path: string, body?: object, key?: string): Promise<Response>;
  start(): Promise<void>;
  kill(signal?: NodeJS.Signals): Promise<void>;
  remove(): Promise<void>;
}

/** @param webhookUrl where events are sent to; nowhere by default */
export async function startSandbox(webhookUrl?: string): Promise<RunningSandbox> {
  const directory = await mkdtemp(join(tmpdir(), 'signet-sandbox-'));
  const running = await startProcess('sandbox-provider/main.ts', {
    SIGNET_SANDBOX_DATA: join(directory, 'sandbox.jsonl'),
    SIGNET_SANDBOX_API_KEY: API_KEY,
    SIGNET_SANDBOX_WEBHOOK_SECRET: WEBHOOK_SECRET,
    ...(webhookUrl && { SIGNET_SANDBOX_WEBHOOK_URL: webhookUrl }),
  });
  const call: RunningSandbox['call'] = (method, path, body, key = randomUUID()) =>
    fetch(running.url + path, {
      method,
      headers: {
        authorization: `Bearer ${API_KEY}`,
        'idempotency-key': key,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  return {
    ...running,
    call,
    async chaos(knobs) {
      const answer = await call('PUT', '/chaos', knobs);
      if (!answer.ok) throw new Error(await answer.text());
    },
    ledger: async () => (await (await call('GET', '/ledger')).json()) as Ledger,
    async remove() {
      await running.kill();
      await rm(directory, { recursive: true });
    },
  };
}
