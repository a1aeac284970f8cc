import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inRounds } from '../../rounds.ts';
import type { Contender, Results } from '../../rounds.ts';
import { AUDIENCE, ISSUER, keyPair, mintTokens } from '../tokens.ts';
import { VARIANTS } from './application.ts';
import type { ServerOptions, Variant } from './application.ts';
import type { LoadOptions, LoadResult } from './load.ts';

export const NAMES = {
  open: 'an open route',
  pass: 'a guard that returns true',
  repeated: 'auth-guard, repeated tokens',
  distinct: 'auth-guard, all-distinct tokens',
  recipe: 'passport-jwt with jwks-rsa, repeated tokens',
  recipeDistinct: 'passport-jwt with jwks-rsa, all-distinct tokens',
} as const;

const CONNECTIONS = 20;
/** Six times what the guard remembers: when one comes again, it has been forgotten, and that it was here as well. */
const DISTINCT = 60_000;
/** How many of them each connection has for one round, more than it gets to send. */
const SHARE = 1500;
const SECONDS = 1;
/** A server's code is compiled for speed only after some tens of thousands of requests. */
const ROUNDS = { rounds: 11, warmUp: 5 };

interface Server {
  port: number;
  process: ChildProcess;
}

/** One process for each application, one for the load; all on the loopback interface. */
export async function compareOverHttp(): Promise<Results> {
  const jwks = await serveJwks();
  const tokens = await mintTokens(DISTINCT);
  const load = start('load.ts');
  const servers = await startServers(jwks.uri);
  const repeated = Array.from({ length: CONNECTIONS }, (_, i) => tokens.slice(i, i + 1));
  const contender = (name: string, server: Server, distinct?: DistinctTokens): Contender => ({
    name,
    async measure() {
      const { sentEach, ...sample } = await measure(server, load, distinct?.next() ?? repeated);
      distinct?.sent(sentEach);
      return sample;
    },
  });
  try {
    return await inRounds(
      [
        contender(NAMES.open, servers.open),
        contender(NAMES.pass, servers.pass),
        contender(NAMES.repeated, servers['auth-guard']),
        contender(NAMES.distinct, servers['auth-guard'], new DistinctTokens(tokens)),
        contender(NAMES.recipe, servers.passport),
        contender(NAMES.recipeDistinct, servers.passport, new DistinctTokens(tokens)),
      ],
      ROUNDS,
    );
  } finally {
    for (const child of [load, ...Object.values(servers).map((server) => server.process)]) {
      if (child.connected) child.disconnect();
    }
    jwks.close();
  }
}

/** Microseconds of processor time of a request that the guard lets in, its token remembered. */
export async function costOfGuardedRequest(): Promise<number> {
  const jwks = await serveJwks();
  const tokens = await mintTokens(CONNECTIONS);
  const load = start('load.ts');
  const server = await startServer('auth-guard', jwks.uri);
  const sent = tokens.map((token) => [token]);
  const name = NAMES.repeated;
  try {
    const results = await inRounds([{ name, measure: () => measure(server, load, sent) }], {
      ...ROUNDS,
      rounds: 5,
    });
    return results.median(name).cpu;
  } finally {
    for (const child of [load, server.process]) if (child.connected) child.disconnect();
    jwks.close();
  }
}

async function measure(server: Server, load: ChildProcess, tokens: string[][]) {
  const before = await ask<NodeJS.CpuUsage>(server.process, 'usage');
  const options: LoadOptions = { port: server.port, tokens, seconds: SECONDS };
  const { requests, sentEach, seconds, failures } = await ask<LoadResult>(load, options);
  const after = await ask<NodeJS.CpuUsage>(server.process, 'usage');
  if (failures > 0) throw new Error(`${failures} requests were not answered with 200.`);
  const cpu = after.user + after.system - before.user - before.system;
  return { rate: requests / seconds, cpu: cpu / requests, sentEach };
}

/** Hands out tokens in turn, through all rounds: a round goes on where the one before it ended. */
class DistinctTokens {
  private from = 0;
  private readonly tokens: readonly string[];

  constructor(tokens: readonly string[]) {
    this.tokens = tokens;
  }

  /** Tokens of its own for each connection. */
  next(): string[][] {
    const { tokens, from } = this;
    return Array.from({ length: CONNECTIONS }, (_, connection) =>
      Array.from(
        { length: SHARE },
        (_, i) => tokens[(from + i * CONNECTIONS + connection) % tokens.length] ?? '',
      ),
    );
  }

  /** @param each how many of its own the quickest connection has sent */
  sent(each: number): void {
    if (each > SHARE) throw new Error('A token was sent twice in a round.');
    this.from += each * CONNECTIONS;
  }
}

async function startServers(jwksUri: string): Promise<Record<Variant, Server>> {
  const servers = VARIANTS.map(
    async (variant) => [variant, await startServer(variant, jwksUri)] as const,
  );
  return Object.fromEntries(await Promise.all(servers)) as Record<Variant, Server>;
}

async function startServer(variant: Variant, jwksUri: string): Promise<Server> {
  const child = start('server.ts');
  const options: ServerOptions = { variant, issuer: ISSUER, audience: AUDIENCE, jwksUri };
  return { process: child, port: await ask<number>(child, options) };
}

function start(file: string): ChildProcess {
  return fork(join(import.meta.dirname, file), { serialization: 'advanced' });
}

async function ask<Answer>(child: ChildProcess, message: object | string): Promise<Answer> {
  const answered = new AbortController();
  const ended = once(child, 'exit', answered).then(() => {
    throw new Error('A process of the measurement has ended.');
  });
  child.send(message);
  try {
    const [answer] = (await Promise.race([once(child, 'message', answered), ended])) as [Answer];
    return answer;
  } finally {
    answered.abort();
    await ended.catch(() => undefined);
  }
}

async function serveJwks(): Promise<{ uri: string; close(): void }> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys: [keyPair.jwk] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { uri: `http://127.0.0.1:${port}/jwks.json`, close };
}
