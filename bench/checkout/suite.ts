import { availableParallelism, cpus } from 'node:os';
import { inRounds, median } from '../rounds.ts';
import type { Results } from '../rounds.ts';
import { figure, table } from '../table.ts';
import { CONTENDERS, measureOrders } from './orders.ts';
import type { Measured } from './orders.ts';
import { memoryOf } from './processes.ts';
import { READS, readers } from './reads.ts';
import { openShop } from './shop.ts';
import type { Shop } from './shop.ts';

/** Twice what two replicas work on at once, so that no worker waits for a customer. */
const CUSTOMERS = 32;
/** What two replicas work on at once is what the bare statements do. */
const ORDERS = { rounds: 5, seconds: 5, bareAtOnce: 16 };
const READ_SECONDS = 1;
const READ_ROUNDS = { rounds: 5, warmUp: 1 };

/** Of a service, in MiB. */
const MEMORY_TARGET = 250;

/**
 * Measures what becomes of orders, from `POST /orders` to `confirmed`, beside the SQL that they come
 * to; a guarded read beside an unguarded one; and the memory of the services meanwhile. Services,
 * database, provider and customers share the machine. Takes three minutes; Linux only.
 */
export async function run(): Promise<void> {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  console.log(`Node ${process.version}, ${availableParallelism()} × ${model}.\n`);
  const shop = await openShop(CUSTOMERS);
  const memory = new Map<string, number>();
  const timer = setInterval(() => watchMemory(shop, memory), 250);
  try {
    const orders = await measureOrders(shop, ORDERS);
    console.log(`### Orders\n\n${ordersTable(orders)}\n`);
    const { contenders, close } = await readers(shop, READ_SECONDS);
    process.stderr.write('reading\n');
    const reads = await inRounds(contenders, READ_ROUNDS);
    await close();
    console.log(`### Reads\n\n${readsTable(reads)}\n`);
    console.log(`### Memory\n\n${memoryTable(memory)}`);
  } finally {
    clearInterval(timer);
    await shop.stop();
  }
}

function watchMemory({ system, replicas }: Shop, seen: Map<string, number>): void {
  for (const { name, pid } of [...Object.values(system.services), ...replicas, system.sandbox]) {
    seen.set(name, Math.max(seen.get(name) ?? 0, memoryOf(pid)));
  }
}

function ordersTable(orders: Record<keyof typeof CONTENDERS, Measured[]>): string {
  const row = (contender: keyof typeof CONTENDERS): string[] => {
    const rounds = orders[contender];
    const of = (value: (round: Measured) => number) => figure(median(rounds.map(value)));
    // A single round has too few for a p99.
    const placing = rounds.flatMap((round) => round.placing).toSorted((a, b) => a - b);
    const at = (share: number) => figure(placing[Math.ceil(placing.length * share) - 1] ?? NaN);
    return [
      CONTENDERS[contender],
      of((round) => round.orders / (round.elapsed / 1000)),
      ...(contender === 'bare' ? ['', ''] : [at(0.5), at(0.99)]),
      of((round) => median(round.confirming)),
      contender === 'bare' ? '' : of((round) => round.services),
      of((round) => round.postgres),
    ];
  };
  const head = [
    ...['', 'orders a second', 'POST /orders ms', 'its p99', 'to confirmed ms'],
    ...['CPU ms, services', 'PostgreSQL'],
  ];
  return table(head, [row('bare'), row('one'), row('two')]);
}

function readsTable(reads: Results): string {
  const rows = Object.values(READS).map((name) => {
    const { rate, cpu } = reads.median(name);
    return [name, figure(rate), figure(cpu)];
  });
  return table(['Read', 'per second', 'CPU µs'], rows);
}

function memoryTable(memory: Map<string, number>): string {
  const rows = [...memory].map(([name, bytes]) => {
    const mib = bytes / 2 ** 20;
    return [name, figure(mib), mib < MEMORY_TARGET ? 'yes' : 'no'];
  });
  return table(['Resident at most', 'MiB', `under ${MEMORY_TARGET}`], rows);
}
