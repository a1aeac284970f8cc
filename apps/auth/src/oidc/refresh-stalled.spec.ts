import { createTestDatabase } from '@signet/database/testing';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { refresh, register, startAuth } from '../testing/running-auth.js';

/** PostgreSQL behind a network in which connections can go silent, with neither an end nor an error. */
async function behindNetwork(databaseUrl: string) {
  const target = new URL(databaseUrl);
  const ends: Socket[] = [];
  let silencing = 0;
  const server = createServer((client) => {
    const database = connect(Number(target.port), target.hostname);
    ends.push(client, database);
    let isSilent = false;
    client.on('data', (data) => {
      if (silencing > 0 && data.includes('find_refresh_tokens')) {
        isSilent = true;
        silencing--;
      }
      if (!isSilent) database.write(data);
    });
    database.on('data', (data) => isSilent || client.write(data));
    for (const [one, other] of [
      [client, database],
      [database, client],
    ] as const) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: Object.assign(new URL(databaseUrl), { hostname: '127.0.0.1', port: String(port) }).href,
    /** The next connections that ask for refresh tokens. */
    silence: (connections: number) => (silencing = connections),
    close: () => {
      server.close();
      for (const end of ends) end.destroy();
    },
  };
}

it('connections that die without a word hold up the refreshes on them, and no others', async () => {
  const database = await createTestDatabase();
  const network = await behindNetwork(database.url);
  const auth = await startAuth({ database: { ...database, url: network.url } });
  try {
    const users = await Promise.all(Array.from({ length: 6 }, () => register(auth)));
    const answers: number[] = [];
    const ask = async ({ refresh_token }: { refresh_token: string }) => {
      answers.push((await refresh(auth, refresh_token)).status);
    };
    network.silence(2);
    const all = [];
    for (const user of users) {
      all.push(ask(user).catch(() => undefined));
      // One after another: together they would be one batch on one connection.
      await sleep(50);
    }
    while (answers.length < 4) await sleep(20);
    expect(answers).toEqual([200, 200, 200, 200]);
    network.close();
    await Promise.all(all);
  } finally {
    network.close();
  }
});
