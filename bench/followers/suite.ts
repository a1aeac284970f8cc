import type { Principal } from '@signet/auth-guard';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAuthService } from '../auth/service.ts';
import type { AuthService } from '../auth/service.ts';
import { figure, table } from '../table.ts';
import type { CrowdMessage, CrowdStatus } from './crowd.ts';

const PROCESSES = 4;
const FOLLOWERS = 1_000;
const LOGOUTS = 20;
const IDLE_MS = 10_000;
const DOWN_MS = 5_000;

/**
 * A thousand followers of one auth on this machine: how soon all of them know of a logout, what that
 * costs auth, and what comes over it when it was killed and all come back. Takes a minute.
 */
export async function run(): Promise<void> {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  console.log(`Node ${process.version}, ${availableParallelism()} × ${model}.\n`);
  const service = await startAuthService();
  const crowds = Array.from({ length: PROCESSES }, () => {
    const options = { serialization: 'advanced' } as const;
    return fork(join(import.meta.dirname, 'crowd.ts'), options);
  });
  try {
    const rows = await measure(service, crowds);
    console.log(table([`${FOLLOWERS.toLocaleString('en')} followers`, ''], rows));
  } finally {
    for (const crowd of crowds) crowd.disconnect();
    await service.stop();
  }
}

async function measure(service: AuthService, crowds: ChildProcess[]): Promise<string[][]> {
  const alone = await service.memory();
  const followers = FOLLOWERS / crowds.length;
  await Promise.all(
    crowds.map((crowd) => ask(crowd, { kind: 'follow', issuer: service.url, followers })),
  );
  await untilAllConnected(crowds);
  const idle = await shareOfCore(service, () => sleep(IDLE_MS));
  const times: number[] = [];
  for (let round = 0; round < LOGOUTS; round++) times.push(...(await deliver(service, crowds)));
  times.sort((a, b) => a - b);
  const at = (share: number) => figure(times[Math.floor((times.length - 1) * share)] ?? NaN);
  const memory = await service.memory();
  return [
    ['a logout is known, half of them, ms', at(0.5)],
    ['99 of 100, ms', at(0.99)],
    ['all, ms', at(1)],
    ['auth, of one core, when nothing happens, %', figure(idle * 100)],
    ['memory of auth, MiB', figure(memory / 2 ** 20)],
    ['of that for followers, MiB', figure((memory - alone) / 2 ** 20)],
    ...(await storm(service, crowds)),
  ];
}

/** Milliseconds from the answer of a logout to each follower's knowing. */
async function deliver({ url }: AuthService, crowds: ChildProcess[]): Promise<number[]> {
  const { token, principal } = await somebody(url);
  await Promise.all(crowds.map((crowd) => ask(crowd, { kind: 'await', principal })));
  const heard = crowds.map((crowd) => once(crowd, 'message') as Promise<[bigint[]]>);
  const headers = { authorization: `Bearer ${token}`, 'idempotency-key': randomUUID() };
  const answer = await fetch(`${url}/auth/logout`, { method: 'POST', headers });
  if (!answer.ok) throw new Error(`logout: ${answer.status}`);
  const answered = process.hrtime.bigint();
  const times = (await Promise.all(heard)).flatMap(([moments]) => moments);
  return times.map((time) => Math.max(0, Number(time - answered) / 1e6));
}

async function storm(service: AuthService, crowds: ChildProcess[]): Promise<string[][]> {
  const before = await statusOf(crowds);
  await service.crash();
  await sleep(DOWN_MS);
  await service.restart();
  const back = performance.now();
  const cpu = await service.cpu();
  await untilAllConnected(crowds);
  const seconds = (performance.now() - back) / 1000;
  const used = ((await service.cpu()) - cpu) / 1e6;
  const { connections, seq } = await statusOf(crowds);
  if (seq !== before.seq) throw new Error('a follower has lost its place');
  return [
    [`all are back, after ${DOWN_MS / 1000} s without auth, s`, figure(seconds)],
    ['connections begun meanwhile, each', figure((connections - before.connections) / FOLLOWERS)],
    ['processor time of auth until then, s', figure(used)],
    ['memory of auth then, MiB', figure((await service.memory()) / 2 ** 20)],
  ];
}

async function shareOfCore(service: AuthService, wait: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  const before = await service.cpu();
  await wait();
  return ((await service.cpu()) - before) / 1000 / (performance.now() - began);
}

async function untilAllConnected(crowds: ChildProcess[]): Promise<void> {
  while ((await statusOf(crowds)).connected < FOLLOWERS) await sleep(50);
}

async function statusOf(crowds: ChildProcess[]): Promise<CrowdStatus> {
  const all = (await Promise.all(
    crowds.map((crowd) => ask(crowd, { kind: 'status' })),
  )) as CrowdStatus[];
  const sum = (key: 'connected' | 'connections') => all.reduce((total, own) => total + own[key], 0);
  return {
    connected: sum('connected'),
    connections: sum('connections'),
    seq: Math.min(...all.map(({ seq }) => seq)),
  };
}

async function ask(crowd: ChildProcess, message: CrowdMessage): Promise<unknown> {
  const answer = once(crowd, 'message');
  crowd.send(message);
  return ((await answer) as unknown[])[0];
}

async function somebody(url: string): Promise<{ token: string; principal: Principal }> {
  const account = { email: `${randomUUID()}@example.com`, password: randomUUID() };
  const response = await fetch(`${url}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: JSON.stringify(account),
  });
  const { access_token: token = '' } = (await response.json()) as Record<string, string>;
  const [, payload = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
    sid: string;
    client_id: string;
    iat: number;
  };
  const { sid: sessionId, client_id: clientId, iat: issuedAt } = claims;
  return { token, principal: { sessionId, clientId, issuedAt } as Principal };
}
