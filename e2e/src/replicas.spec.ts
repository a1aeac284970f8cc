import type { System } from '@signet/launcher';
import { decodeProtectedHeader } from 'jose';
import { setTimeout as sleep } from 'node:timers/promises';
import { answersOf } from './system/guarded-routes.ts';
import { startThrowAwaySystem } from './system/throw-away-system.ts';
import { clientOf } from './system/world.ts';
import type { Client, Tokens } from './system/world.ts';

const GRACE_SECONDS = 3;

/** Two processes of auth on one database, and the three services that verify their tokens. */
let system: System;
let replicas: [Client, Client];
const errors: string[] = [];

beforeAll(async () => {
  system = await startThrowAwaySystem({
    variables: {
      SIGNET_REFRESH_GRACE_SECONDS: String(GRACE_SECONDS),
      SIGNET_ACCESS_TOKEN_SECONDS: '10',
      SIGNET_JWKS_MAX_AGE_SECONDS: '1',
      SIGNET_KEY_ROTATION_SECONDS: '4',
    },
    onLog: (service, { level, text }) => {
      if (level >= 50) errors.push(`${service}: ${text}`);
    },
  });
  const second = await system.startReplica('auth');
  replicas = [clientOf(system), clientOf(system, { auth: second.url })];
});

afterAll(() => system.stop());

const on = (turn: number) => replicas[turn % 2 === 0 ? 0 : 1];

const refreshOn = (replica: number, { refresh_token }: Pick<Tokens, 'refresh_token'>) =>
  on(replica).call('auth', 'POST /auth/refresh', { body: { refresh_token } });

describe('one refresh token, a hundred times at once, on two replicas', () => {
  it('gives one successor, and logs nobody out', async () => {
    const first = await on(0).register();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, attempt) => refreshOn(attempt, first)),
    );
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
    const successor = answers[0]?.body as unknown as Tokens;
    expect((await refreshOn(1, successor)).status).toBe(200);
  });

  it('ends the session when it comes after the grace', async () => {
    const first = await on(0).register();
    const { body } = await refreshOn(1, first);
    await sleep((GRACE_SECONDS + 1) * 1000);
    expect((await refreshOn(1, first)).status).toBe(401);
    const successor = body as unknown as Tokens;
    expect((await refreshOn(0, successor)).status).toBe(401);
    const token = successor.access_token;
    expect((await on(1).call('auth', 'GET /auth/me', { token })).status).toBe(401);
  });
});

describe('keys that are rotated every few seconds', () => {
  const LOAD_MS = 20_000;

  it('never cost a token that any service refuses', async () => {
    const kids = new Set<string>();
    const refused: string[] = [];
    let calls = 0;

    const user = async (number: number) => {
      let tokens: Tokens = await on(number).register();
      for (let turn = 0; performance.now() < end; turn++) {
        const token = tokens.access_token;
        kids.add(String(decodeProtectedHeader(token).kid));
        const [others, own] = await Promise.all([
          answersOf(on(turn), token),
          on(turn).call('auth', 'GET /auth/me', { token }),
        ]);
        const answers = [...others, own];
        calls += answers.length;
        // Without the role it is 403, and what does not exist is 404; only the token is looked at.
        refused.push(...answers.filter(({ status }) => status === 401).map(({ text }) => text));
        await sleep(200);
        const { status, body } = await refreshOn(turn + number, tokens);
        if (status !== 200) refused.push(`refresh: ${status}`);
        else tokens = body as unknown as Tokens;
      }
    };
    const end = performance.now() + LOAD_MS;
    await Promise.all(Array.from({ length: 4 }, (_, number) => user(number)));

    expect(refused).toEqual([]);
    expect(calls).toBeGreaterThan(100);
    expect(kids.size).toBeGreaterThanOrEqual(4);
  });

  it('are no error to either of them', () => {
    expect(errors).toEqual([]);
  });
});
