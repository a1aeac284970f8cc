import { fillCatalogue } from './catalogue.ts';
import { clearDataDirectory, openDataDirectory } from './data-directory.ts';
import type { LogLine } from './processes/log-line.ts';
import { assertPortsFree, freePorts, type PortUse } from './processes/ports.ts';
import { ServiceFailedError, type Failure, type RunningService } from './running-service.ts';
import { loadSecrets } from './secrets.ts';
import { startDatabases } from './service-databases.ts';
import { serviceOf, startServices } from './service-processes.ts';
import {
  demoAccounts,
  POSTGRES,
  SANDBOX,
  serviceEnvironment,
  SERVICES,
  type DemoAccount,
  type EnvironmentSource,
  type Ports,
  type ProcessName,
  type ServiceName,
} from './services.ts';

export interface SystemOptions {
  /** Where everything that outlives a start is kept; made when missing. One system at a time. */
  dataDir: string;
  /** The port of each service and of the embedded PostgreSQL; `free` takes any. */
  ports: Ports | 'free';
  /** An administrator's URL of a PostgreSQL to use instead of an embedded one. */
  databaseUrl?: string | undefined;
  /** Every demo account's password; by default made at the first start and kept. */
  demoPassword?: string | undefined;
  /** Deletes what earlier starts have kept, the embedded database first of all. */
  reset?: boolean;
  /** For tests: an embedded PostgreSQL that is faster and is deleted at the end. */
  throwAway?: boolean;
  /** Runs beside the start of the database, and has to be done before the services start. */
  prepare?: (signal: AbortSignal) => Promise<void>;
  /** The file each service is started with; by default what the build makes. */
  main?: (process: ProcessName) => string;
  /** Of which each service gets what is its own, and no more: see `services.ts`. Default: our own. */
  environment?: NodeJS.ProcessEnv;
  /** Told what a person should know, a line at a time. */
  onNotice?: (line: string) => void;
  onLog?: (name: ProcessName | 'postgres', line: LogLine) => void;
  /** Told of a process that ended by itself, once everything had been ready. */
  onFailure?: (failure: Failure) => void;
  /** Gives up starting. */
  signal?: AbortSignal;
}

/** How a replica differs from the service that it is one of. */
export interface ReplicaOptions {
  /** Its environment, made from what it would be. */
  environment?: (own: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
  /** A command that runs the one behind it, such as `ip netns exec NAME`. */
  within?: readonly string[];
}

export interface System {
  services: Record<ServiceName, RunningService>;
  /** The payment provider that payments calls: it takes no money. */
  sandbox: RunningService;
  /** What the sandbox's callers show as their bearer token. */
  sandboxApiKey: string;
  /** One for each role, made by auth when it started. */
  accounts: DemoAccount[];
  /** Of the confidential client `orders`. */
  ordersClientSecret: string;
  /** For people: where the databases are and, when embedded, in which directory. */
  database: string;
  /**
   * Starts another process of a service with the environment of the first, on a port of its own: a
   * second replica. It ends with the system.
   */
  startReplica(name: ServiceName, options?: ReplicaOptions): Promise<RunningService>;
  /** Stops the services, then the embedded PostgreSQL. Takes 5 s at most. */
  stop(): Promise<void>;
}

/** How to stop what has been started, to be done from the end. */
export type Undo = (() => Promise<void> | void)[];

/**
 * Starts the database and the four services, and waits until each is ready and there is something
 * to sell. When that fails, whatever has been started by then is stopped again.
 *
 * @throws {AlreadyRunningError} when a system runs on the same data directory
 * @throws {ServiceFailedError} when a service ends instead of becoming ready
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const undo: Undo = [];
  const stop = async () => {
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  };
  const failed = new AbortController();
  let started = false;
  const onFailure = (failure: Failure) => {
    if (started) options.onFailure?.(failure);
    else failed.abort(new ServiceFailedError(failure));
  };
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  try {
    const system = await start({ ...options, onFailure, signal }, undo);
    signal.throwIfAborted();
    started = true;
    return { ...system, stop };
  } catch (error) {
    await stop();
    throw signal.aborted ? signal.reason : error;
  }
}

/** @param undo receives how to stop each thing as soon as it has been started */
async function start(
  options: SystemOptions & { signal: AbortSignal },
  undo: Undo,
): Promise<Omit<System, 'stop'>> {
  const { dataDir, signal } = options;
  const directory = await openDataDirectory(dataDir, options.onNotice ?? (() => undefined));
  undo.push(() => {
    directory.lock.release();
  });
  if (options.reset) await clearDataDirectory(dataDir);
  const ports = options.ports === 'free' ? await anyPorts() : options.ports;
  await assertPortsFree(portUses(ports, options));
  const { secrets, resetPasswords } = await loadSecrets(
    directory.secretsFile,
    options.demoPassword,
  );
  const noDatabase = new AbortController();
  const [database] = await allSettled([
    startDatabases(options, directory.cluster, ports.postgres, secrets, undo).catch(
      (error: unknown) => {
        noDatabase.abort();
        throw error;
      },
    ),
    options.prepare?.(AbortSignal.any([signal, noDatabase.signal])),
  ]);
  signal.throwIfAborted();
  const source: EnvironmentSource = {
    ...{ ports, dataDir, secrets, resetPasswords },
    databaseUrls: database.urls,
    inherited: options.environment ?? process.env,
  };
  const { services, sandbox } = await startServices(options, directory, undo, source);
  const accounts = demoAccounts(secrets);
  await fillCatalogue(services.inventory.url, services.auth.url, accounts).catch((error: unknown) =>
    options.onNotice?.(`The demo catalogue could not be made: ${String(error)}`),
  );
  const { ordersClientSecret, sandboxApiKey } = secrets;
  return {
    ...{ services, sandbox, accounts, database: database.place },
    ...{ ordersClientSecret, sandboxApiKey },
    startReplica: async (name, { environment, within = [] }: ReplicaOptions = {}) => {
      const [port = 0] = await freePorts(1);
      const own: NodeJS.ProcessEnv = { ...serviceEnvironment(name, source), PORT: String(port) };
      const env = environment?.(own) ?? own;
      const url = `http://${env.HOST}:${port}`;
      const label = `${name} at ${url}`;
      const replica = serviceOf(options, directory, { name, url, env, within, label });
      undo.push(() => replica.stop());
      await replica.start();
      return replica;
    },
  };
}

function portUses(ports: Ports, { databaseUrl }: SystemOptions): PortUse[] {
  const uses: PortUse[] = SERVICES.map(({ name, portVariable }) => ({
    ...{ port: ports[name], user: name, variable: portVariable },
  }));
  uses.push({ port: ports.sandbox, user: 'the sandbox', variable: SANDBOX.portVariable });
  const server = { port: ports.postgres, user: 'PostgreSQL', variable: POSTGRES.portVariable };
  return databaseUrl ? uses : [...uses, server];
}

async function anyPorts(): Promise<Ports> {
  const names = [...SERVICES.map(({ name }) => name), 'sandbox', 'postgres'];
  const ports = await freePorts(names.length);
  return Object.fromEntries(names.map((name, index) => [name, ports[index]])) as Ports;
}

/** Promise.all, but nothing is still going on when it rejects. */
async function allSettled<Results extends readonly unknown[]>(
  work: Results,
): Promise<{ -readonly [Index in keyof Results]: Awaited<Results[Index]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
