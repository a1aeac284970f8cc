import { Confirmations } from './confirmations.ts';
import { cpuOf, cpuOfFamily, postmasterOf } from './processes.ts';
import { checkOut, statements } from './rounds.ts';
import type { Round } from './rounds.ts';
import type { Shop } from './shop.ts';
import { writtenBy } from './written.ts';

export const CONTENDERS = {
  bare: 'the SQL of an order alone',
  one: 'one replica of orders and inventory',
  two: 'two replicas of each',
} as const;

type Contender = keyof typeof CONTENDERS;
type Contenders = Record<Contender, () => Promise<Round>>;

/** A round, and the processor time that services and PostgreSQL used for an order, in milliseconds. */
export interface Measured extends Round {
  services: number;
  postgres: number;
}

export interface OrdersOptions {
  rounds: number;
  seconds: number;
  /** Orders that the bare statements are sent for at the same time. */
  bareAtOnce: number;
}

/** Rounds of each contender, in turns; every other one goes backwards. */
export async function measureOrders(
  shop: Shop,
  { rounds, seconds, bareAtOnce: atOnce }: OrdersOptions,
): Promise<Record<Contender, Measured[]>> {
  const confirmations = new Confirmations(shop.databaseUrl('orders'));
  await confirmations.start();
  const contenders: Contenders = {
    bare: () => statements(shop, { atOnce, seconds: seconds / 2 }),
    one: () => asleep(shop, () => checkOut(shop, confirmations, { replicas: 1, seconds })),
    two: () => checkOut(shop, confirmations, { replicas: 2, seconds }),
  };
  const postmaster = await postmasterOf(shop.databaseUrl('orders'));
  const results: Record<Contender, Measured[]> = { bare: [], one: [], two: [] };
  const names = Object.keys(results) as Contender[];
  try {
    await warmUp(shop, contenders);
    for (let round = 0; round < rounds; round++) {
      process.stderr.write(`round ${round + 1} of ${rounds}\n`);
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        results[name].push(await measured(shop, postmaster, contenders[name]));
      }
    }
    await confirmations.assertAll();
  } finally {
    await confirmations.close();
  }
  return results;
}

/**
 * A round of each that is not measured, in which it is seen that the bare statements are those of an
 * order still.
 *
 * @throws {Error} naming the tables that they write to otherwise
 */
async function warmUp({ databaseUrl }: Shop, contenders: Contenders): Promise<void> {
  process.stderr.write('warming up\n');
  const bare = await writtenBy(databaseUrl, contenders.bare);
  const real = await writtenBy(databaseUrl, contenders.one);
  await contenders.two();
  const differing = Object.keys({ ...bare, ...real }).filter((name) => bare[name] !== real[name]);
  if (differing.length === 0) return;
  const each = differing.map((name) => `${name}: ${real[name] ?? 0}, there ${bare[name] ?? 0}`);
  throw new Error(`An order writes other rows than bench/checkout/bare does:\n${each.join('\n')}`);
}

async function measured(
  { system, replicas }: Shop,
  postmaster: number,
  work: () => Promise<Round>,
): Promise<Measured> {
  const processes = [...Object.values(system.services), ...replicas, system.sandbox];
  const used = () => ({
    services: cpuOf(processes.map(({ pid }) => pid)),
    postgres: cpuOfFamily(postmaster),
  });
  const before = used();
  const round = await work();
  const after = used();
  return {
    ...round,
    services: (after.services - before.services) / round.orders,
    postgres: (after.postgres - before.postgres) / round.orders,
  };
}

/** Without the second replicas. */
async function asleep<Result>(shop: Shop, work: () => Promise<Result>): Promise<Result> {
  shop.sleep();
  try {
    return await work();
  } finally {
    await shop.wake();
  }
}
