import { startSystem } from '@signet/launcher';
import type { System, SystemOptions } from '@signet/launcher';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Limits are for strangers; the journeys come from one address and log in all the time. */
const WITHOUT_LIMITS = {
  RATE_LIMIT_PER_MINUTE: '1000000',
  SIGNET_LOGIN_ATTEMPTS: '100000',
  SIGNET_LOGIN_ATTEMPTS_TOTAL: '100000',
  SIGNET_LOGIN_ATTEMPTS_SOURCE: '100000',
  SIGNET_REGISTRATIONS_PER_HOUR: '100000',
};

/** pino's number for a warning. */
const WARN = 40;

/** The four built services as processes on free ports, on a database that is thrown away. */
export async function startThrowAwaySystem({
  variables = {},
  onLog = showWarnings,
  databaseUrl,
}: {
  variables?: NodeJS.ProcessEnv;
  onLog?: SystemOptions['onLog'];
  /** Of an empty server that the caller has; an embedded one by default. */
  databaseUrl?: string;
} = {}): Promise<System> {
  const dataDir = await mkdtemp(join(tmpdir(), 'signet-e2e-'));
  const system = await startSystem({
    dataDir,
    ports: 'free',
    throwAway: true,
    environment: { ...process.env, ...WITHOUT_LIMITS, ...variables },
    onLog,
    databaseUrl,
  });
  return {
    ...system,
    stop: async () => {
      await system.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const showWarnings: SystemOptions['onLog'] = (service, line) => {
  if (line.level >= WARN) process.stderr.write(`${service}: ${line.text}\n`);
};
