import { serviceProcess } from '@signet/database/testing';
import type { ServiceProcess } from '@signet/database/testing';
import { join } from 'node:path';

/**
 * Starts one of our main files in a process of its own.
 *
 * @param main path below `src`
 */
export async function startProcess(
  main: string,
  environment: NodeJS.ProcessEnv,
): Promise<ServiceProcess> {
  const started = await serviceProcess(join(__dirname, '..', main), environment);
  await started.start();
  return started;
}
