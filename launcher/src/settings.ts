import { POSTGRES, SANDBOX, SERVICES, type Ports } from './services.ts';

/** What the environment may change about `npm start`. */
export interface Settings {
  ports: Ports;
  /** An administrator's URL of a PostgreSQL to use instead of the embedded one. */
  databaseUrl: string | undefined;
  /** Password of all demo accounts. */
  demoPassword: string | undefined;
}

/** @throws Error naming the variable that is wrong and what was expected; an empty one is not set */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const port = (variable: string, usual: number): number => {
    const text = set[variable];
    if (text === undefined) return usual;
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= 1 && number <= 65_535) return number;
    throw new Error(`${variable} is "${text}": expected a port, 1 to 65535.`);
  };
  const listeners = [
    ...SERVICES,
    { name: 'sandbox', ...SANDBOX },
    { name: 'postgres', ...POSTGRES },
  ];
  const ports = listeners.map((use) => [use.name, port(use.portVariable, use.port)]);
  if (set.DATABASE_URL !== undefined) assertDatabaseUrl(set.DATABASE_URL);
  if (set.SIGNET_DEMO_PASSWORD !== undefined) assertPassword(set.SIGNET_DEMO_PASSWORD);
  return {
    ports: Object.fromEntries(ports) as Ports,
    databaseUrl: set.DATABASE_URL,
    demoPassword: set.SIGNET_DEMO_PASSWORD,
  };
}

/** The value may hold a password, so the message does not repeat it. */
function assertDatabaseUrl(text: string): void {
  const url = URL.parse(text);
  if (url && /^postgres(ql)?:$/.test(url.protocol) && url.hostname !== '') return;
  throw new Error(
    'DATABASE_URL is not a URL such as postgresql://user:password@host:5432/postgres.',
  );
}

/** Auth's own rule, checked before a password that it refuses is kept. */
function assertPassword(text: string): void {
  const { length } = Array.from(text.normalize('NFKC'));
  if (length >= 12 && length <= 128) return;
  throw new Error('SIGNET_DEMO_PASSWORD has the wrong length: expected 12 to 128 characters.');
}
