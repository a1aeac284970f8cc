import { readFileSync } from 'node:fs';
import { readChaos } from './chaos.js';
import type { Chaos } from './chaos.js';

export interface SandboxConfig {
  host: string;
  /** 3010 by default. */
  port: number;
  /** The file that everything is kept in. */
  dataFile: string;
  /** What callers show as their bearer token. */
  apiKey: string;
  /** Where events are sent; nowhere when not set. */
  webhookUrl: string | undefined;
  webhookSecret: string;
  chaos: Chaos;
}

/**
 * Reads `HOST`, `PORT` and the variables `SIGNET_SANDBOX_DATA`, `_API_KEY`, `_WEBHOOK_URL`,
 * `_WEBHOOK_SECRET` and `_CHAOS` (JSON); each may also be given as `NAME_FILE`. By hand, since the
 * provider is to be small.
 *
 * @throws {Error} that names the variable and what was expected
 */
export function sandboxConfig(environment: NodeJS.ProcessEnv = process.env): SandboxConfig {
  const optional = (name: string): string | undefined => {
    const file = environment[`${name}_FILE`];
    return environment[name] || (file ? readFileSync(file, 'utf8').trim() : undefined);
  };
  const required = (name: string): string => {
    const value = optional(name);
    if (value?.trim()) return value;
    throw new Error(`${name} is not set.`);
  };
  const port = Number(optional('PORT') ?? 3010);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error('PORT is not a port, 0 to 65535.');
  }
  return {
    host: optional('HOST') ?? '127.0.0.1',
    port,
    dataFile: required('SIGNET_SANDBOX_DATA'),
    apiKey: required('SIGNET_SANDBOX_API_KEY'),
    webhookUrl: optional('SIGNET_SANDBOX_WEBHOOK_URL'),
    webhookSecret: required('SIGNET_SANDBOX_WEBHOOK_SECRET'),
    chaos: chaosOf(optional('SIGNET_SANDBOX_CHAOS') ?? '{}'),
  };
}

function chaosOf(json: string): Chaos {
  try {
    return readChaos(JSON.parse(json));
  } catch (error) {
    const what = error instanceof SyntaxError ? 'expected JSON' : (error as Error).message;
    throw new Error(`SIGNET_SANDBOX_CHAOS is not valid: ${what}`, { cause: error });
  }
}
