import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { keyPair } from './tokens.ts';

/** What the memory of verified tokens is like after so many tokens have passed through it. */
export interface MemorySample {
  seen: number;
  /** Tokens it holds. */
  held: number;
  /** Nanoseconds to find one of them. */
  lookup: number;
  /** What it takes on the heap, in MiB. */
  heap: number;
}

interface Entry {
  token: string;
}

interface Memory {
  readonly size: number;
  get(token: string): Entry | undefined;
  set(entry: Entry): void;
}

const SEEN = [1_000, 10_000, 100_000, 1_000_000];
const LOOKUPS = 200_000;
const DEFAULT_CACHE_SIZE = 10_000;

/** Tokens are made up here: signing a million would take ten minutes, and the memory takes any text. */
export async function measureMemory(): Promise<MemorySample[]> {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const memory = await createMemory();
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  let seen = 0;
  return SEEN.map((count) => {
    for (; seen < count; seen++) memory.set(entry());
    const recent = Array.from({ length: 500 }, entry);
    recent.forEach((item) => memory.set(item));
    const lookup = timeLookups(memory, recent);
    collectGarbage();
    const heap = (process.memoryUsage().heapUsed - before) / 2 ** 20;
    return { seen: count, held: memory.size, lookup, heap };
  });
}

/** The class is not public: it is taken from beside the package's entry. */
async function createMemory(): Promise<Memory> {
  const file = new URL('token/verified-tokens.js', import.meta.resolve('@signet/auth-guard'));
  const { VerifiedTokens } = (await import(file.href)) as {
    VerifiedTokens: new (maxEntries: number) => Memory;
  };
  return new VerifiedTokens(DEFAULT_CACHE_SIZE);
}

/** An entry of the size of a real one. */
function entry(): Entry & object {
  const token = randomBytes(660).toString('base64url');
  const claims = Object.fromEntries(
    Array.from({ length: 13 }, (_, i) => [
      `claim${i}`,
      token.slice(i * 36, i * 36 + 36) + String(i),
    ]),
  );
  const principal = { kind: 'user', claims, roles: ['customer'], scopes: ['openid', 'profile'] };
  return { token, principal, kid: keyPair.kid, key: keyPair.publicKey } as Entry;
}

function timeLookups(memory: Memory, recent: readonly Entry[]): number {
  const wire = recent.map(({ token }) => Buffer.from(token, 'latin1'));
  const start = performance.now();
  for (let i = 0; i < LOOKUPS; i++) {
    const text = wire[i % wire.length]?.toString('latin1') ?? '';
    if (!memory.get(text)) throw new Error('A token that was just seen is not remembered.');
  }
  return ((performance.now() - start) / LOOKUPS) * 1e6;
}
