import { availableParallelism, cpus } from 'node:os';
import { inRounds } from '../rounds.ts';
import type { Contender, Results, Sample } from '../rounds.ts';
import { figure, table } from '../table.ts';
import { hashBare, signBare } from './bare.ts';
import { operationsOn } from './operations.ts';
import { startAuthService } from './service.ts';

const NAMES = {
  sign: 'bare RSA-2048 signature, one core',
  hash: 'bare argon2id, one core',
  logIn: 'login',
  refresh: 'refresh',
  clientCredentials: 'client credentials',
} as const;

const SECONDS = 2;
const ROUNDS = { rounds: 7, warmUp: 2 };

/** Half of what one core could sign. */
const TARGET = 0.5;

/**
 * Measures what the auth service answers in a second, beside what its cryptography costs alone. The
 * service, its database and the load share the machine. Takes a minute.
 */
export async function run(): Promise<void> {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  console.log(`Node ${process.version}, ${availableParallelism()} × ${model}.\n`);
  const results = await measure();
  console.log(`### Tokens issued\n\n${costs(results)}\n`);
  console.log(`### Targets\n\n${targets(results)}`);
}

async function measure(): Promise<Results> {
  const service = await startAuthService();
  try {
    const operations = await operationsOn(service, SECONDS);
    const contender = (name: string, take: () => Sample | Promise<Sample>): Contender => ({
      name,
      measure: async () => take(),
    });
    const results = await inRounds(
      [
        contender(NAMES.sign, signBare),
        contender(NAMES.hash, hashBare),
        contender(NAMES.logIn, operations.logIn),
        contender(NAMES.refresh, operations.refresh),
        contender(NAMES.clientCredentials, operations.clientCredentials),
      ],
      ROUNDS,
    );
    await operations.close();
    return results;
  } finally {
    await service.stop();
  }
}

function costs(results: Results): string {
  const sign = results.median(NAMES.sign).cpu;
  const hash = results.median(NAMES.hash).cpu;
  const percent = (part: number, whole: number) => `${Math.round((100 * part) / whole)} %`;
  const rows = Object.values(NAMES).map((name) => {
    const { rate, cpu } = results.median(name);
    const isBare = name === NAMES.sign || name === NAMES.hash;
    const shares = isBare
      ? ['', '']
      : [name === NAMES.logIn ? percent(hash, cpu) : '0 %', percent(sign, cpu)];
    return [name, figure(rate), figure(cpu), ...shares];
  });
  return table(['Operation', 'per second', 'CPU µs', 'argon2id', 'RSA'], rows);
}

function targets(results: Results): string {
  const rows = [NAMES.refresh, NAMES.clientCredentials].map((name) => {
    const { rate, cpu } = results.ratio(name, NAMES.sign);
    return [name, figure(rate), figure(cpu), figure(TARGET), rate >= TARGET ? 'yes' : 'no'];
  });
  const head = ['To what one core signs', 'rate ratio', 'CPU ratio', 'target', 'reached'];
  return table(head, rows);
}
