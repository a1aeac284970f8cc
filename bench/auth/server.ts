import { join } from 'node:path';

/** The auth service as it is deployed, in a process that says how much processor time it has used. */
process.on('message', () => process.send?.(process.cpuUsage()));
process.on('disconnect', () => process.exit());

await import(join(import.meta.dirname, '../../apps/auth/dist/main.js'));
