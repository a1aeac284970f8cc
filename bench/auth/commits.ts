import pg from 'pg';
import { randomBytes } from 'node:crypto';
import type { Sample } from '../rounds.ts';
import type { AuthService } from './service.ts';

/** As much as a refresh token's record has. */
const PAYLOAD = JSON.stringify({ claims: 'x'.repeat(300) });

const TABLES = `
  create schema bench;
  create table bench.sessions (sid text primary key, last_used_at timestamptz not null) with (fillfactor = 85);
  create table bench.tokens (hash text primary key, sid text not null, payload jsonb not null, consumed_at timestamptz)
    with (fillfactor = 90)`;

/** A token is used once, its session is used, and the next token is there. */
const EXCHANGE = `
  with consumed as (
    update bench.tokens set consumed_at = now() where hash = $1 and consumed_at is null returning sid
  ), used as (
    update bench.sessions set last_used_at = now() from consumed
    where sessions.sid = consumed.sid returning sessions.sid
  )
  insert into bench.tokens (hash, sid, payload) select $2, sid, $3 from used`;

export interface Commits {
  measure: () => Promise<Sample>;
  close: () => Promise<void>;
}

/** The three rows that a refresh cannot do without, in one statement that commits, and nothing else. */
export async function commitsOn(
  { databaseUrl, databaseCpu }: AuthService,
  { atOnce, seconds }: { atOnce: number; seconds: number },
): Promise<Commits> {
  const connections = Array.from({ length: atOnce }, () => new pg.Client(databaseUrl));
  await Promise.all(connections.map((each) => each.connect()));
  await connections[0]?.query(TABLES);
  const chains = await Promise.all(connections.map(begin));
  return {
    measure: async () => {
      const database = databaseCpu();
      const load = process.cpuUsage();
      const start = performance.now();
      let done = 0;
      await Promise.all(
        chains.map(async (chain) => {
          for (; performance.now() < start + seconds * 1000; done++) await exchange(chain);
        }),
      );
      const elapsed = (performance.now() - start) / 1000;
      const { user, system } = process.cpuUsage(load);
      const used = (databaseCpu() - database) / done;
      return { rate: done / elapsed, cpu: 0, database: used, load: (user + system) / done };
    },
    close: async () => {
      await Promise.all(connections.map((each) => each.end()));
    },
  };
}

interface Chain {
  connection: pg.Client;
  current: string;
}

async function begin(connection: pg.Client): Promise<Chain> {
  const [sid, current] = [newId(), newId()];
  await connection.query('insert into bench.sessions values ($1, now())', [sid]);
  await connection.query('insert into bench.tokens values ($1, $2, $3)', [current, sid, PAYLOAD]);
  return { connection, current };
}

async function exchange(chain: Chain): Promise<void> {
  const next = newId();
  const { rowCount } = await chain.connection.query({
    name: 'exchange',
    text: EXCHANGE,
    values: [chain.current, next, PAYLOAD],
  });
  if (rowCount !== 1) throw new Error('The token was not exchanged.');
  chain.current = next;
}

function newId(): string {
  return randomBytes(32).toString('base64url');
}
