import { keySource, REVOCATION_FEED, RevocationFollower } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { createTestIssuer, TestRevocationFeed } from '@signet/auth-guard/testing';
import { createHash, randomBytes } from 'node:crypto';
import { availableParallelism, cpus } from 'node:os';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { costOfGuardedRequest } from '../guard/http/compare.ts';
import { median } from '../rounds.ts';
import { figure, table } from '../table.ts';

const SIZES = [0, 1_000, 100_000, 1_000_000];
const LOOKUPS = 1_000_000;
const ROUNDS = 7;
/** Between two looks at the heap: so few that the garbage of none is collected meanwhile. */
const LOOKUPS_AT_ONCE = 10_000;
const EVENTS = 2_000;

const issuer = createTestIssuer();
const feed = new TestRevocationFeed(issuer);

/**
 * Measures a follower with so many entries in force, beside what a whole request behind the guard costs,
 * and prints Markdown. Takes a minute.
 */
export async function run(): Promise<void> {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  process.stdout.write(`Node ${process.version}, ${availableParallelism()} × ${model}.\n\n`);
  const request = (await costOfGuardedRequest()) * 1000;
  const rows: string[][] = [];
  for (const size of SIZES) rows.push(await measure(size, request));
  const head = [
    ...[
      'Entries',
      'look-up ns',
      'of a request %',
      'heap bytes a look-up',
      'heap bytes an entry',
      'snapshot MiB',
      'gzipped MiB',
    ],
    ...['to apply ms', 'longest pause ms'],
  ];
  process.stdout.write(`${table(head, rows)}\n\n`);
  const rate = await eventsASecond();
  process.stdout.write(`A guarded request: ${figure(request / 1000)} µs of processor time.\n`);
  process.stdout.write(`Events verified and taken in: ${figure(rate)} a second.\n`);
}

/** @param request nanoseconds of processor time of a guarded one, of which a look-up is a part */
async function measure(size: number, request: number): Promise<string[]> {
  const ids = Array.from({ length: size }, () => randomBytes(32).toString('base64url'));
  const snapshot = snapshotOf(ids);
  const before = heap();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const follower = followerOf(snapshot);
  delay.enable();
  const began = performance.now();
  await follower.start();
  const took = performance.now() - began;
  delay.disable();
  if (follower.status.entries !== size) throw new Error('the snapshot was not applied');
  const bytes = size === 0 ? 0 : (heap() - before) / size;
  const principals = principalsBeside(ids);
  const lookup = lookUp(follower, principals);
  const allocated = allocatedByLookUp(follower, principals);
  await follower.close();
  const mib = (buffer: Buffer) => figure(buffer.length / 2 ** 20);
  return [
    ...[size.toLocaleString('en'), figure(lookup), figure((100 * lookup) / request)],
    ...[allocated.toFixed(2), figure(bytes)],
    ...[mib(snapshot), mib(gzipSync(snapshot, { level: 6 })), figure(took)],
    figure(delay.max / 1e6),
  ];
}

/** Whose tokens are not revoked, as nearly all are not. */
function principalsBeside(ids: readonly string[]): Principal[] {
  return Array.from({ length: 1024 }, (_, n): Principal => {
    // Made as a parser makes them: not the very string that is looked for.
    const sessionId = n % 64 === 0 && ids[n] !== undefined ? `${ids[n].slice(1)}x` : randomId();
    return { sessionId, clientId: 'app', issuedAt: 1 } as Principal;
  });
}

/** Nanoseconds. */
function lookUp(follower: RevocationFollower, principals: readonly Principal[]): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    ask(follower, principals, LOOKUPS);
    return ((performance.now() - began) * 1e6) / LOOKUPS;
  });
  return median(times);
}

/** Bytes of the heap that a look-up takes, beyond those of looking at the heap. */
function allocatedByLookUp(follower: RevocationFollower, principals: readonly Principal[]): number {
  const grownBy = (count: number) => {
    const before = process.memoryUsage().heapUsed;
    ask(follower, principals, count);
    return process.memoryUsage().heapUsed - before;
  };
  const rounds = Array.from({ length: LOOKUPS / LOOKUPS_AT_ONCE }, () => [
    grownBy(LOOKUPS_AT_ONCE),
    grownBy(0),
  ]);
  const [asked, idle] = [0, 1].map((which) => median(rounds.map((round) => round[which] ?? 0)));
  return ((asked ?? 0) - (idle ?? 0)) / LOOKUPS_AT_ONCE;
}

function ask(follower: RevocationFollower, principals: readonly Principal[], count: number): void {
  let revoked = 0;
  for (let n = 0; n < count; n++) {
    const principal = principals[n & 1023];
    if (principal && follower.isRevoked(principal)) revoked += 1;
  }
  if (revoked > 0) throw new Error('nobody revoked these');
}

function randomId(): string {
  return Buffer.from(randomBytes(32).toString('base64url')).toString();
}

function snapshotOf(ids: readonly string[]): Buffer {
  const until = Math.floor(Date.now() / 1000) + 600;
  const lines = Buffer.from(ids.map((id) => `s ${id} ${until}\n`).join(''));
  const head = feed.sign(REVOCATION_FEED.snapshotType, {
    ...{ seq: ids.length, chain: REVOCATION_FEED.genesis, as_of: Date.now(), count: ids.length },
    exp: until,
    sha256: createHash('sha256').update(lines).digest('base64url'),
  });
  return Buffer.concat([Buffer.from(`${head}\n`), lines]);
}

/** One that is given this snapshot, and then a stream that says `events` and does not end. */
function followerOf(snapshot: Buffer, events = Buffer.alloc(0)): RevocationFollower {
  const answer = (url: string, signal: AbortSignal | null | undefined) => {
    if (!url.endsWith('/stream')) return new Response(new Uint8Array(snapshot));
    const start = (controller: ReadableStreamDefaultController) => {
      if (events.length > 0) controller.enqueue(new Uint8Array(events));
      signal?.addEventListener('abort', () => controller.close(), { once: true });
    };
    return new Response(new ReadableStream({ start }));
  };
  return new RevocationFollower(
    {
      url: 'http://feed.test/revocations',
      fetch: (url, init) => Promise.resolve(answer(url as string, init?.signal)),
    },
    { issuer: issuer.issuer, keys: keySource(issuer.keys, { issuer: issuer.issuer }) },
  );
}

async function eventsASecond(): Promise<number> {
  const source = new TestRevocationFeed(issuer);
  const snapshot = source.snapshot();
  const events = Array.from({ length: EVENTS }, () => source.revoke({ sessionId: randomId() }));
  const bytes = Buffer.from(
    events.map((event) => `event: revocation\ndata: ${event}\n\n`).join(''),
  );
  const follower = followerOf(snapshot, bytes);
  const began = performance.now();
  const { promise: all, resolve } = Promise.withResolvers<undefined>();
  follower.onRevoked(() => {
    if (follower.status.events === EVENTS) resolve(undefined);
  });
  await follower.start();
  await all;
  const rate = EVENTS / ((performance.now() - began) / 1000);
  await follower.close();
  return rate;
}

const collectGarbage = (() => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
})();

function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
