import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { buildServices } from './build.ts';
import { keepRunning } from './keep-running.ts';
import { ERROR, WARN, type LogLine } from './processes/log-line.ts';
import type { RunningService } from './running-service.ts';
import { POSTGRES, SANDBOX, SERVICES, type ProcessName } from './services.ts';
import { readSettings } from './settings.ts';
import { startSystem, type System } from './system.ts';
import { welcome } from './welcome.ts';

const ROOT = join(import.meta.dirname, '../..');

const VARIABLES = [
  ['DATABASE_URL', 'administrator URL of a PostgreSQL to use instead of the embedded one'],
  ['SIGNET_DEMO_PASSWORD', 'password of all demo accounts from now on'],
  ...SERVICES.map(({ name, port, portVariable }) => [portVariable, `port of ${name} (${port})`]),
  [SANDBOX.portVariable, `port of the sandbox payment provider (${SANDBOX.port})`],
  [POSTGRES.portVariable, `port of the embedded PostgreSQL (${POSTGRES.port})`],
  ['LOG_LEVEL', 'what the services log: trace, debug, info (usual), warn, error'],
];

const HELP = `Starts Signet: a PostgreSQL of its own, the four services and a sandbox payment provider.

Usage: npm start [-- options]

  --reset     delete the embedded database and everything else kept in .data first
  --verbose   show everything the services log, not only warnings and errors
  --help      show this

Environment:

${VARIABLES.map(([name = '', text = '']) => `  ${name.padEnd(22)}  ${text}`).join('\n')}
`;

const OWN_SERVER = `--reset deletes only the launcher's own PostgreSQL, and DATABASE_URL names another one.
To start afresh there, run these on it, then delete the directory .data:

${SERVICES.map(({ name }) => `  DROP DATABASE IF EXISTS signet_${name};`).join('\n')}
${SERVICES.map(({ name }) => `  DROP ROLE IF EXISTS signet_${name};`).join('\n')}`;

/** @returns the exit code */
async function main(): Promise<number> {
  const { reset, verbose, help } = readArguments();
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  const settings = readSettings(process.env);
  if (reset && settings.databaseUrl) throw new Error(OWN_SERVER);
  const { signal, ended, giveUp } = untilTheEnd();
  // A service that fails to start has its last lines shown anyway: until then, warnings wait.
  const early: (() => void)[] = [];
  let shownFrom = Infinity;
  let system: System | undefined;
  const onFailure = keepRunning({
    find: (name) => (name === 'postgres' ? undefined : processOf(system, name)),
    ...{ signal, onEnd: complain, onNotice: say, onGiveUp: giveUp },
  });
  try {
    system = await startSystem({
      ...{ ...settings, reset, signal, onFailure },
      dataDir: join(ROOT, '.data'),
      prepare: (halt) => buildServices(ROOT, say, halt),
      onNotice: say,
      onLog: (name, line) => {
        if (verbose || line.level >= shownFrom) printLog(name, line);
        else if (line.level >= WARN) early.push(() => printLog(name, line));
      },
    });
    process.stdout.write(`${welcome(system)}\n`);
    for (const print of early) print();
    shownFrom = WARN;
    const reason = await ended;
    if (reason !== undefined) complain(reason);
    say('Stopping…');
    // That the others are gone now is no news.
    shownFrom = ERROR;
    await system.stop();
    return reason === undefined ? 0 : 1;
  } catch (error) {
    if (signal.aborted) return 0;
    throw error;
  }
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        reset: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new Error(`${messageOf(error)}\n\n${HELP.trimEnd()}`, { cause: error });
  }
}

/** The end comes by a signal or for a reason to give up; both abort a start under way. */
function untilTheEnd() {
  const over = new AbortController();
  const { promise: ended, resolve } = Promise.withResolvers<string | undefined>();
  const end = (reason?: string) => {
    over.abort();
    resolve(reason);
  };
  const interrupt = () => end();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt);
  const parent = process.ppid;
  // npm's signals go to the shell it runs us in, which dies of them without passing them on.
  if (process.env.npm_lifecycle_event) {
    setInterval(() => process.ppid !== parent && interrupt(), 250).unref();
  }
  return { signal: over.signal, ended, giveUp: end };
}

function processOf(system: System | undefined, name: ProcessName): RunningService | undefined {
  return name === 'sandbox' ? system?.sandbox : system?.services[name];
}

const COLOURS = {
  auth: 'magenta',
  orders: 'cyan',
  payments: 'yellow',
  inventory: 'blue',
  sandbox: 'green',
  postgres: 'gray',
} as const;

function printLog(name: keyof typeof COLOURS, { level, text }: LogLine): void {
  const prefix = styleText(COLOURS[name], `${name.padEnd(9)} │ `);
  const colour = level > WARN ? 'red' : level === WARN ? 'yellow' : 'reset';
  for (const line of text.split('\n')) {
    process.stdout.write(`${prefix}${styleText(colour, line)}\n`);
  }
}

function say(text: string): void {
  process.stdout.write(`${styleText('dim', text)}\n`);
}

function complain(text: string): void {
  process.stderr.write(`${styleText('red', text, { stream: process.stderr })}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  process.exitCode = await main();
} catch (error) {
  complain(messageOf(error));
  process.exitCode = 1;
}
