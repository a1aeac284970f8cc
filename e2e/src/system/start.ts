import type { System } from '@signet/launcher';
import { startThrowAwaySystem } from './throw-away-system.ts';
import { SYSTEM_VARIABLE, worldOf } from './world.ts';
import type { World } from './world.ts';

let system: System | undefined;

/** Jest's globalSetup: starts the system under test, unless the environment names one that runs. */
export default async function start(): Promise<void> {
  const world = worldFrom(process.env) ?? (await ownWorld());
  process.env[SYSTEM_VARIABLE] = JSON.stringify(world);
}

export async function stop(): Promise<void> {
  await system?.stop();
}

async function ownWorld(): Promise<World> {
  system = await startThrowAwaySystem();
  return worldOf(system);
}

/**
 * A system that runs elsewhere: `SIGNET_E2E_AUTH_URL` and its kind say where the services are,
 * `SIGNET_DEMO_PASSWORD` and `SIGNET_ORDERS_CLIENT_SECRET` how to get in.
 */
function worldFrom(environment: NodeJS.ProcessEnv): World | undefined {
  if (environment.SIGNET_E2E_AUTH_URL === undefined) return undefined;
  const given = (variable: string, what: string): string => {
    const value = environment[variable];
    if (value) return value;
    throw new Error(`${variable} is not set: expected ${what}.`);
  };
  const url = (name: string) =>
    given(`SIGNET_E2E_${name.toUpperCase()}_URL`, `the URL of the running ${name} service`);
  const password = given('SIGNET_DEMO_PASSWORD', 'the password of the demo accounts');
  return {
    urls: {
      auth: url('auth'),
      orders: url('orders'),
      payments: url('payments'),
      inventory: url('inventory'),
    },
    passwords: { admin: password, warehouse: password, support: password, customer: password },
    ordersClientSecret: given('SIGNET_ORDERS_CLIENT_SECRET', 'the secret of the client orders'),
  };
}
