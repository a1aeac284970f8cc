import { createTestDatabase } from '@signet/database/testing';
import type { TestDatabase } from '@signet/database/testing';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { AuthConfig } from '../config.js';
import { RECORDED } from './revocation-log.js';
import { WakeUp } from './wake-up.js';

let database: TestDatabase;
let network: Server;
const wires: Socket[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  const { hostname, port } = new URL(database.url);
  network = createServer((near) => {
    const far = connect(Number(port), hostname);
    wires.push(near, far);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  network.listen(0, '127.0.0.1');
  await once(network, 'listening');
});

afterAll(async () => {
  for (const wire of wires) wire.destroy();
  network.close();
  await database.drop();
});

it('hears from the database again after a connection that went dead without a word', async () => {
  const url = new URL(database.url);
  url.host = `127.0.0.1:${(network.address() as AddressInfo).port}`;
  const wakeUp = new WakeUp({ DATABASE_URL: url.href } as AuthConfig);
  const writer = new pg.Client({ connectionString: database.url });
  await writer.connect();
  let heard = 0;
  await wakeUp.listen(() => (heard += 1));
  expect(heard).toBe(1);

  // Neither end is told: what is sent is lost on the way.
  for (const wire of wires) wire.removeAllListeners('data').pause();
  while (heard === 1) await sleep(50);
  await writer.query(`notify ${RECORDED}`);
  while (heard === 2) await sleep(50);

  await writer.end();
  await wakeUp.close();
});
