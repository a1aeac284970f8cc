import { startApplication } from './application.ts';
import type { ServerOptions } from './application.ts';

/** A process of its own: told what to serve, says where, and then how much processor time it used. */
process.on('message', (message: ServerOptions | 'usage') => {
  if (message === 'usage') process.send?.(process.cpuUsage());
  else void startApplication(message).then((port) => process.send?.(port));
});
process.on('disconnect', () => process.exit());
