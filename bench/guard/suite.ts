import { availableParallelism, cpus } from 'node:os';
import { figure, table } from '../table.ts';
import type { Results } from '../rounds.ts';
import { compareOverHttp, NAMES as HTTP } from './http/compare.ts';
import { measureMemory } from './memory.ts';
import type { MemorySample } from './memory.ts';
import { compareVerifiers, NAMES as VERIFIERS } from './verifiers.ts';

/** What the guard is meant to reach: how many times as fast as what, at least. */
const TARGETS = {
  verifiers: [
    [VERIFIERS.ours, VERIFIERS.floor, 0.9],
    [VERIFIERS.ours, VERIFIERS.fastJwt, 1],
    [VERIFIERS.oursCached, VERIFIERS.fastJwtCached, 3],
  ],
  http: [
    [HTTP.repeated, HTTP.pass, 0.9],
    [HTTP.repeated, HTTP.recipe, 4],
    [HTTP.distinct, HTTP.recipeDistinct, 1.7],
  ],
} as const;

type Target = (typeof TARGETS)[keyof typeof TARGETS][number];

/** Measures the guard beside other libraries, and prints Markdown. Takes two to three minutes. */
export async function run(): Promise<void> {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  say(`Node ${process.version}, ${availableParallelism()} × ${model}, RS256 with a 2048-bit key.`);
  const verifiers = await compareVerifiers();
  say(section('One token verified', 'Verifier', verifiers, VERIFIERS, VERIFIERS.floor));
  const http = await compareOverHttp();
  say(section('One request over HTTP: NestJS on Fastify', 'Route', http, HTTP, HTTP.recipe));
  say(memoryTable(await measureMemory()));
  say(targetTable([...rowsOf(TARGETS.verifiers, verifiers), ...rowsOf(TARGETS.http, http)]));
}

function section(
  title: string,
  subject: string,
  results: Results,
  names: Record<string, string>,
  reference: string,
): string {
  const rows = Object.values(names).map((name) => {
    const { rate, cpu } = results.median(name);
    const ratio = results.ratio(name, reference);
    return [name, figure(rate), figure(cpu), figure(ratio.rate), figure(ratio.cpu)];
  });
  const head = [subject, 'per second', 'CPU µs', 'rate ratio', 'CPU ratio'];
  return `## ${title}\n\n${table(head, rows)}\n\nRatios are to "${reference}"; more is faster.`;
}

function memoryTable(samples: readonly MemorySample[]): string {
  const rows = samples.map(({ seen, held, lookup, heap }) => [
    seen.toLocaleString('en'),
    held.toLocaleString('en'),
    figure(lookup),
    figure(heap),
  ]);
  const head = ['Tokens seen', 'remembered', 'look-up ns', 'heap MiB'];
  return `## The memory of verified tokens\n\n${table(head, rows)}`;
}

function targetTable(rows: readonly string[][]): string {
  const head = ['Target', 'at least', 'by rate', 'by CPU', 'reached'];
  return `## Targets\n\n${table(head, rows)}`;
}

function rowsOf(targets: readonly Target[], results: Results): string[][] {
  return targets.map(([name, other, least]) => {
    const { rate, cpu } = results.ratio(name, other);
    const reached =
      rate >= least && cpu >= least ? 'yes' : rate < least && cpu < least ? 'no' : 'half';
    return [`${name} : ${other}`, figure(least), figure(rate), figure(cpu), reached];
  });
}

function say(text: string): void {
  console.log(`${text}\n`);
}
