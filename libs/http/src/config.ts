import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** A variable that lists several values, separated by commas. */
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** As Fastify takes it; the names stand for ranges of addresses. */
const proxy = z.union(
  [
    z.union([z.ipv4(), z.ipv6()]),
    z.union([z.cidrv4(), z.cidrv6()]),
    z.enum(['loopback', 'linklocal', 'uniquelocal']),
  ],
  { error: 'expected addresses, or ranges such as 10.0.0.0/8, separated by commas' },
);

/** As browsers send it, to the letter: it is compared. */
const origin = z
  .string()
  .refine((text) => /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text, {
    error: 'expected origins such as https://app.example, in lower case and without a path',
  });

/** The variables every service understands. Spread into the service's own schema. */
export const serviceVariables = {
  HOST: z.string().min(1).default('127.0.0.1').describe('an address to listen on'),
  PORT: z.coerce.number().int().min(0).max(65_535).describe('a port to listen on'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).describe('a postgres:// URL'),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(1).max(100).default(10),
  SIGNET_ISSUER: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:3000'),
  /** How clients address this service, for proofs made out to it; http, HOST and PORT by default. */
  SIGNET_PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Requests a minute from one address before it is answered 429; a service may ask 100 times that. */
  RATE_LIMIT_PER_MINUTE: z.coerce.number().int().min(1).default(1200),
  /** Addresses (or ranges) of proxies whose `X-Forwarded-For` is believed. None by default. */
  TRUSTED_PROXIES: list.pipe(z.array(proxy)).default([]),
  /** Origins of browser applications that may call this service. None by default. */
  CORS_ORIGINS: list.pipe(z.array(origin)).default([]),
  /** Base URL of a collector that spans are sent to (OTLP over HTTP). None are made by default. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
};

export type ServiceConfig = z.infer<z.ZodObject<typeof serviceVariables>>;

/** The environment does not describe a service that can run. Its message names every bad variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads a service's configuration from the environment.
 *
 * A variable `NAME` may also be given as `NAME_FILE`, the path of a file that holds its value, as
 * container platforms mount secrets. An empty variable counts as absent.
 *
 * @throws {ConfigError} naming each variable that is missing or wrong, and what was expected.
 */
export function readConfig<Schema extends z.ZodObject>(
  schema: Schema,
  environment: NodeJS.ProcessEnv = process.env,
): z.infer<Schema> {
  const values: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = environment[name] || fromFile(name, environment[`${name}_FILE`]);
    if (value) values[name] = value;
  }
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const [name = '', ...rest] = issue.path.map(String);
    const isMissing = values[name] === undefined;
    // Zod would say of what is missing only that it is.
    const what =
      isMissing && issue.code === 'invalid_type' ? expected(schema, name) : issue.message;
    const where = [
      `  ${name} ${isMissing ? stateOf(schema, name) : 'is not valid'}`,
      rest.join('.'),
    ];
    return [...where, what].filter((part) => part !== '').join(': ');
  });
  throw new ConfigError(`The configuration is not usable.\n${problems.join('\n')}`);
}

/** Of a variable that is missing. */
function stateOf(schema: z.ZodObject, name: string): string {
  const hasDefault = schema.shape[name] instanceof z.ZodDefault;
  return hasDefault ? 'is left at its default, which is not valid' : 'is not set';
}

function expected(schema: z.ZodObject, name: string): string {
  const variable = schema.shape[name] as z.ZodType | undefined;
  return `expected ${variable?.description ?? 'a value'}`;
}

function fromFile(name: string, path: string | undefined): string | undefined {
  if (!path) return undefined;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new ConfigError(`${name}_FILE names ${path}, which cannot be read: ${String(error)}`);
  }
}
