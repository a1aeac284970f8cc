import { availableParallelism, cpus } from 'node:os';
import { inRounds } from '../rounds.ts';
import type { Contender, Results, Sample } from '../rounds.ts';
import { figure, table } from '../table.ts';
import { hashBare, signBare } from './bare.ts';
import { commitsOn } from './commits.ts';
import { operationsOn } from './operations.ts';
import { startAuthService } from './service.ts';

const NAMES = {
  sign: 'bare RSA-2048 signature, one core',
  hash: 'bare argon2id, one core',
  commit: 'three rows in one commit, SQL alone',
  nothing: 'an answer without work, GET /health/live',
  preflight: 'the engine without work, a preflight',
  logIn: 'login',
  refresh: 'refresh',
  refreshByJson: 'refresh over JSON',
  refreshOfFew: 'refresh, 16 people',
  clientCredentials: 'client credentials',
} as const;

/** What ends in a signature, and costs little else. */
const TOKENS: readonly string[] = [NAMES.refresh, NAMES.refreshByJson, NAMES.clientCredentials];

/** People, and connections: what is asked of a service that has all it can do. */
const CROWD = { atOnce: 256, seconds: 2 };
const FEW = { ...CROWD, atOnce: 16 };
/** The service's code is compiled for speed only after some tens of thousands of requests. */
const ROUNDS = { rounds: 7, warmUp: 4 };

/** Half of what one core could sign. */
const TARGET = 0.5;

/**
 * Measures what the auth service answers in a second, beside what its cryptography, its commit and its
 * HTTP cost alone. The service, its database, which writes as safely as a real one, and the load share
 * the machine. Takes three minutes; Linux only.
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
    const commits = await commitsOn(service, FEW);
    const few = await operationsOn(service, FEW);
    const crowd = await operationsOn(service, CROWD);
    const contender = (name: string, take: () => Sample | Promise<Sample>): Contender => ({
      name,
      measure: async () => take(),
    });
    const results = await inRounds(
      [
        contender(NAMES.sign, signBare),
        contender(NAMES.hash, hashBare),
        contender(NAMES.commit, commits.measure),
        contender(NAMES.nothing, few.answerNothing),
        contender(NAMES.preflight, few.preflight),
        contender(NAMES.logIn, few.logIn),
        contender(NAMES.refresh, crowd.refresh),
        contender(NAMES.refreshByJson, crowd.refreshByJson),
        contender(NAMES.refreshOfFew, few.refresh),
        contender(NAMES.clientCredentials, crowd.clientCredentials),
      ],
      ROUNDS,
    );
    await Promise.all([commits, few, crowd].map((each) => each.close()));
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
    const { rate, cpu, database, load } = results.median(name);
    const costs = [cpu, database, load].map((each) => (each === 0 ? '' : figure(each)));
    const issues = [NAMES.logIn, NAMES.refreshOfFew, ...TOKENS].includes(name);
    const shares = issues
      ? [name === NAMES.logIn ? percent(hash, cpu) : '0 %', percent(sign, cpu)]
      : ['', ''];
    return [name, figure(rate), ...costs, ...shares];
  });
  const head = ['Operation', 'per second', 'CPU µs', 'PostgreSQL', 'load', 'argon2id', 'RSA'];
  return table(head, rows);
}

/**
 * By rate, by auth's own processor time, and by what the cores here could do if they never waited and
 * had nothing else to do. What one core signs is told by the processor time of a signature: its rate
 * falls when others use the machine, and the service would seem better for it.
 */
function targets(results: Results): string {
  const cores = availableParallelism();
  const sign = results.median(NAMES.sign).cpu;
  const rows = TOKENS.map((name) => {
    const { rate, cpu, database, load } = results.median(name);
    const byRate = (rate * sign) / 1e6;
    const most = (cores * sign) / (cpu + database + load);
    const shares = [TARGET, byRate, sign / cpu, most].map(figure);
    return [name, ...shares, byRate >= TARGET ? 'yes' : 'no'];
  });
  const head = [
    ...['Share of what one core signs', 'at least', 'by rate', 'by CPU of auth'],
    ...[`most that ${cores} cores can do`, 'reached'],
  ];
  return table(head, rows);
}
