import { join } from 'node:path';

/** The auth service as it is deployed, in a process that says what it has used of the machine. */
process.on('message', () => {
  process.send?.({ ...process.cpuUsage(), memory: process.memoryUsage.rss() });
});
process.on('disconnect', () => process.exit());

await import(join(import.meta.dirname, '../../apps/auth/dist/main.js'));
