import { removeCluster } from './postgres/cluster.ts';
import { provisionDatabases } from './postgres/databases.ts';
import { startPostgres } from './postgres/server.ts';
import { readLogLine } from './processes/log-line.ts';
import type { Secrets } from './secrets.ts';
import { HOST, SERVICES, type ServiceName } from './services.ts';
import type { SystemOptions, Undo } from './system.ts';

export interface ServiceDatabases {
  /** Each service's connection URL. */
  urls: Record<ServiceName, string>;
  /** For people: where the databases are. */
  place: string;
}

/**
 * Gives each service a database of its own, on the server of `databaseUrl` or on an embedded one.
 *
 * @param cluster directory of the embedded server
 * @param undo receives how to stop the embedded server
 */
export async function startDatabases(
  options: SystemOptions,
  cluster: string,
  port: number,
  secrets: Secrets,
  undo: Undo,
): Promise<ServiceDatabases> {
  const { databaseUrl } = options;
  if (databaseUrl) {
    const urls = await provision(databaseUrl, secrets, false);
    return { urls, place: new URL(databaseUrl).host };
  }
  const { throwAway = false, onNotice, onLog, onFailure } = options;
  if (throwAway) undo.push(() => removeCluster(cluster));
  const server = await startPostgres({
    ...{ dir: cluster, port, password: secrets.postgresPassword, throwAway },
    ...(onNotice && { onNotice }),
    // Its errors are the services' to report: they know what they asked for.
    onLine: (line) => onLog?.('postgres', { ...readLogLine(line, 'stdout'), level: 20 }),
  });
  let endExpected = false;
  undo.push(() => {
    endExpected = true;
    return server.stop();
  });
  void server.exited.then((exit) => {
    if (!endExpected) onFailure?.({ name: 'postgres', ...exit });
  });
  const urls = await provision(server.url, secrets, true);
  return { urls, place: `${HOST}:${port}, data in ${server.data}` };
}

async function provision(
  adminUrl: string,
  { databasePasswords }: Secrets,
  ownServer: boolean,
): Promise<Record<ServiceName, string>> {
  const names = SERVICES.map(({ name }) => name);
  const roles = names.map((name) => ({
    name: `signet_${name}`,
    password: databasePasswords[name],
  }));
  const urls = await provisionDatabases(adminUrl, roles, ownServer);
  return Object.fromEntries(names.map((name, index) => [name, urls[index]])) as Record<
    ServiceName,
    string
  >;
}
