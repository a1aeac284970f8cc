/** For the test: a replica that takes a job and is killed before it is done. */
import process from 'node:process';
import { PgBoss } from 'pg-boss';

const [, , connectionString, queue] = process.argv;
const boss = new PgBoss({ connectionString, schema: 'jobs', schedule: false, supervise: false });
boss.on('error', () => undefined);
await boss.start();
await boss.work(queue, { pollingIntervalSeconds: 0.5 }, async () => {
  process.stdout.write('taken\n');
  await new Promise(() => undefined);
});
process.stdout.write('ready\n');
