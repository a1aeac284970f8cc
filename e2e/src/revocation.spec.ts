import type { System } from '@signet/launcher';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { CAUSES, CAUSES_OF_APPLICATIONS, signedIn } from './revocation-causes.ts';
import type { Place } from './revocation-causes.ts';
import { answersOf, GUARDED, GUARDED_SERVICES, isRefused } from './system/guarded-routes.ts';
import { Load } from './system/load.ts';
import { startThrowAwaySystem } from './system/throw-away-system.ts';
import { clientOf } from './system/world.ts';
import type { Client } from './system/world.ts';

/** Two processes of auth on one database, and the three services, each following one of them. */
let system: System;
let here: Client;
let there: Client;
let place: Place;

const ROUNDS = 6;

beforeAll(async () => {
  system = await startThrowAwaySystem({ onLog: () => undefined });
  const second = await system.startReplica('auth');
  here = clientOf(system);
  there = clientOf(system, { auth: second.url });
  const admin = await here.tokenOf('admin');
  place = { here, there, issuer: system.services.auth.url, admin };
});

afterAll(() => system.stop());

/** A user of each kind, for each cause that there is for it. */
const ATTEMPTS: Record<string, () => Promise<Attempt>> = {
  ...Object.fromEntries(
    Object.entries(CAUSES).map(([name, cause]) => [
      name,
      async () => {
        const user = await here.register();
        return { token: user.access_token, bringAbout: () => cause(place, user) };
      },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(CAUSES_OF_APPLICATIONS).map(([name, cause]) => [
      name,
      async () => {
        const user = await signedIn(place);
        return { token: user.access_token, bringAbout: () => cause(place, user) };
      },
    ]),
  ),
};

interface Attempt {
  token: string;
  bringAbout: () => Promise<{ status: number }>;
}

/** Milliseconds from the answer to the first refusal, for each service. */
async function timesOf(cause: string): Promise<number[]> {
  const attempt = await ATTEMPTS[cause]?.();
  if (!attempt) throw new Error(`There is no cause "${cause}".`);
  const { token, bringAbout } = attempt;
  const before = await answersOf(here, token);
  expect(before.map(({ status }) => status)).toEqual([200, 404, 403]);
  const { status } = await bringAbout();
  expect([200, 204]).toContain(status);
  const answered = performance.now();
  return Promise.all(
    GUARDED_SERVICES.map(async (service) => {
      for (;;) {
        const asked = performance.now();
        const answer = await here.call(service, GUARDED[service], { token });
        if (isRefused(answer)) return Math.max(0, asked - answered);
        await sleep(5);
      }
    }),
  );
}

function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Takes the times in `measure`, all of them within a second: a busy machine gets three tries. */
async function timely(measure: () => Promise<number[]>): Promise<number[]> {
  for (let attempt = 1; ; attempt++) {
    const times = await measure();
    if (Math.max(...times) >= 1000 && attempt < 3) continue;
    expect(Math.max(...times)).toBeLessThan(1000);
    return times;
  }
}

function print(what: string, times: readonly number[]): void {
  const ms = (share: number) => quantile(times, share).toFixed(0);
  process.stdout.write(
    `revocation, answer to first refusal, ${what}: ` +
      `p50 ${ms(0.5)} ms, p99 ${ms(0.99)} ms, at most ${ms(1)} ms\n`,
  );
}

async function inTurn(count: number, cause: (round: number) => string): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < count; round++) times.push(...(await timesOf(cause(round))));
  return times;
}

describe('a token is refused in every service within a second', () => {
  const all: number[] = [];

  it.each(Object.keys(ATTEMPTS))('after %s', async (cause) => {
    all.push(...(await timely(() => inTurn(ROUNDS, () => cause))));
  });

  afterAll(() => print(`${all.length} times`, all));

  it('while the services are busy with other requests', async () => {
    const token = (await here.register()).access_token;
    const load = new Load(() => answersOf(here, token));
    const causes = Object.keys(CAUSES);
    const times = await timely(() =>
      inTurn(ROUNDS * 4, (round) => causes[round % causes.length] ?? ''),
    );
    const { rate, failures } = await load.stop();
    expect(failures).toEqual([]);
    const requests = Math.round(rate * GUARDED_SERVICES.length);
    print(`${times.length} times beside ${requests} requests a second`, times);
  });
});

describe('a service', () => {
  it('refuses the own tokens of a client that was disabled', async () => {
    const { body } = await here.call('auth', 'POST /admin/clients', {
      token: place.admin,
      body: {
        client_name: 'Warehouse robot',
        token_endpoint_auth_method: 'client_secret_basic',
        grant_types: ['client_credentials'],
        audiences: { 'urn:signet:inventory': ['inventory:reserve'] },
      },
    });
    const { client_id: id, client_secret: secret } = body as Record<string, string>;
    const answer = await here.call('auth', 'POST /oauth/token', {
      headers: {
        authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'grant_type=client_credentials&resource=urn:signet:inventory&scope=inventory:reserve',
    });
    const token = String(answer.body.access_token);
    const ask = () => here.call('inventory', GUARDED.inventory, { token });
    expect((await ask()).body.code).toBe('insufficient_scope');
    await there.call('auth', `POST /admin/clients/${id}/disable`, { token: place.admin });
    while (!isRefused(await ask())) await sleep(5);
  });

  it('asks auth nothing while it answers', async () => {
    const { access_token: token } = await here.register();
    const asked = async () => {
      const texts = await Promise.all(
        [here, there].map(async (client) => (await client.call('auth', 'GET /metrics')).text),
      );
      return texts
        .join('\n')
        .split('\n')
        .filter((line) => line.startsWith('http_server_request_duration_seconds_count'))
        .filter((line) => !/route="\/(metrics|health|\.well-known)/.test(line))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    };
    const before = await asked();
    for (let round = 0; round < 50; round++) await answersOf(here, token);
    expect(await asked()).toBe(before);
  });

  it('goes on after a role change with one refresh, within the same second', async () => {
    for (let round = 0; round < 5; round++) {
      const user = await here.register();
      expect((await CAUSES['other roles']?.(place, user))?.status).toBe(200);
      const { body } = await here.call('auth', 'POST /auth/refresh', {
        body: { refresh_token: user.refresh_token },
      });
      const token = String(body.access_token);
      while (!(await answersOf(here, user.access_token)).every(isRefused)) await sleep(5);
      const answer = await here.call('orders', 'GET /admin/orders', { token });
      expect(answer.status).toBe(200);
    }
  });
});
