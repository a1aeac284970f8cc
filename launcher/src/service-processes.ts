import { join } from 'node:path';
import type { DataDirectory } from './data-directory.ts';
import { RunningService, type ServiceOptions } from './running-service.ts';
import {
  addressOf,
  sandboxEnvironment,
  serviceEnvironment,
  SERVICES,
  type EnvironmentSource,
  type ProcessName,
  type ServiceName,
} from './services.ts';
import type { System, SystemOptions, Undo } from './system.ts';

/**
 * Starts the services and the sandbox, and waits until each is ready.
 *
 * @param undo receives how to stop them
 */
export async function startServices(
  options: SystemOptions,
  directory: DataDirectory,
  undo: Undo,
  source: EnvironmentSource,
): Promise<Pick<System, 'services' | 'sandbox'>> {
  const services = SERVICES.map(({ name }) => {
    const env = serviceEnvironment(name, source);
    const url = addressOf(name, source.ports);
    return serviceOf(options, directory, { name, url, env, label: name });
  });
  const sandbox = serviceOf(options, directory, {
    ...{ name: 'sandbox', label: 'sandbox', url: addressOf('sandbox', source.ports) },
    env: sandboxEnvironment(source),
  });
  undo.push(async () => {
    await Promise.all([...services, sandbox].map((service) => service.stop()));
  });
  const byName = Object.fromEntries(services.map((service) => [service.name, service])) as Record<
    ServiceName,
    RunningService
  >;
  // The others do not need auth to start, but would ask for its keys in vain and have to wait.
  await Promise.all([byName.auth, sandbox].map((service) => service.start(options.signal)));
  const others = services.filter(({ name }) => name !== 'auth');
  await Promise.all(others.map((service) => service.start(options.signal)));
  return { services: byName, sandbox };
}

type OneProcess = Pick<ServiceOptions, 'name' | 'url' | 'env' | 'within'> & {
  /** Tells it from other processes of the same service. */
  label: string;
};

/** A process that is not started yet. The data directory remembers it once it is. */
export function serviceOf(
  options: SystemOptions,
  { lock }: DataDirectory,
  { label, ...one }: OneProcess,
): RunningService {
  return new RunningService({
    ...one,
    main: (options.main ?? builtMain)(one.name),
    onLine: (name, line) => options.onLog?.(name, line),
    onStart: (_name, pid) => lock.record(label, pid),
    onFailure: (failure) => options.onFailure?.(failure),
  });
}

function builtMain(name: ProcessName): string {
  const file =
    name === 'sandbox' ? 'payments/dist/sandbox-provider/main.js' : `${name}/dist/main.js`;
  return join(import.meta.dirname, '../../apps', file);
}
