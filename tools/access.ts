/**
 * Writes docs/access.md: every route of every service and who may call it, as the built services
 * themselves say. With `--check` it writes nothing, and fails when the file says something else.
 *
 * The services are started here one by one, on a throw-away PostgreSQL, without listening. The guard's
 * own table says who may call the routes of Nest's controllers; Fastify says which other routes there
 * are, since those do not pass the guard.
 */
import { randomBytes } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync, writeFileSync } from 'node:fs';
import { describeAccess, listRoutes } from '@signet/auth-guard';
import type { Access } from '@signet/auth-guard';
import { createService } from '@signet/http';
import type { ServiceOptions } from '@signet/http';
import { startThrowAwayPostgres } from '@signet/launcher';
import type { FastifyInstance } from 'fastify';
import pg from 'pg';
import { format, resolveConfig } from 'prettier';

const FILE = new URL('../docs/access.md', import.meta.url);
const REWRITE = 'npx nx run e2e:access';
const SERVICES = ['auth', 'orders', 'payments', 'inventory'] as const;

const INTRODUCTION = `# Who may call what

Every route of every service, as the running services say it: a change of access is a diff of this file.
\`${REWRITE}\` writes it, and a test fails when it is out of date.

_public_ looks at no token. _roles: a or b_ takes a user's token with one of them, _any user_ any user's.
_scope a (service)_ takes a service's own token with that scope. _Fresh within 10 s_ is answered with 503
while the service has not known for so long what is revoked (docs/revocation.md). HEAD goes where GET goes.

_Outside the guard_ are routes that something other than a controller answers: the OpenAPI pages and, in
auth, the OAuth engine, which has rules of its own.`;

type Service = (typeof SERVICES)[number];

interface Row {
  method: string;
  path: string;
  /** Who may call it, in words. */
  access: string;
  /** `OrdersController.find` */
  handler: string;
}

interface Routes {
  guarded: Row[];
  /** Served by something else than a controller: `GET /docs`. */
  outside: string[];
}

/** What Fastify served since the last look, as `GET /path`. */
const served: string[] = [];
subscribe('fastify.initialization', (message) => {
  const { fastify } = message as { fastify: FastifyInstance };
  fastify.addHook('onRoute', ({ method, url }) => {
    served.push(...[method].flat().map((name) => `${name} ${url}`));
  });
});

const text = await render();
if (!process.argv.includes('--check')) {
  writeFileSync(FILE, text);
} else if (text !== read()) {
  console.error(`docs/access.md is out of date. Write it anew, and look at the diff: ${REWRITE}`);
  process.exitCode = 1;
}

function read(): string | undefined {
  try {
    return readFileSync(FILE, 'utf8');
  } catch {
    return undefined;
  }
}

async function render(): Promise<string> {
  const server = await startThrowAwayPostgres();
  try {
    const sections: string[] = [];
    for (const service of SERVICES) {
      const routes = await routesOf(service, await createDatabase(server.url, service));
      sections.push(section(service, routes));
    }
    const markdown = [INTRODUCTION, ...sections].join('\n\n');
    return await format(markdown, { ...(await resolveConfig(FILE)), parser: 'markdown' });
  } finally {
    await server.stop();
  }
}

async function routesOf(service: Service, databaseUrl: string): Promise<Routes> {
  served.length = 0;
  const app = await createService(await describeService(service, databaseUrl));
  try {
    await app.init();
    const guarded = listRoutes(app).map(
      ({ method, path, access, maxRevocationAge, controller, handler }) => ({
        method,
        path,
        access: describeRoute(access, maxRevocationAge),
        handler: `${controller}.${handler}`,
      }),
    );
    return { guarded: guarded.sort(byPath), outside: outsideOf(guarded) };
  } finally {
    await app.close();
  }
}

function describeRoute(access: Access, maxRevocationAge: number | undefined): string {
  const who = describeAccess(access);
  return maxRevocationAge === undefined ? who : `${who}; fresh within ${maxRevocationAge} s`;
}

/** Routes that somebody gave to Fastify without Nest. Fastify itself adds HEAD beside GET. */
function outsideOf(guarded: readonly Row[]): string[] {
  const known = new Set(guarded.map(({ method, path }) => `${method} ${path}`));
  const paths = new Map<string, string[]>();
  for (const route of new Set(served)) {
    const [method = '', path = ''] = route.split(' ');
    if (known.has(route) || method === 'HEAD') continue;
    paths.set(path, [...(paths.get(path) ?? []), method]);
  }
  return [...paths]
    .sort(([a], [b]) => compare(a, b))
    .map(([path, methods]) => `${methods.sort().join(', ')} ${path}`);
}

/** What the service's `main.ts` does, with an environment of its own. */
async function describeService(service: Service, databaseUrl: string): Promise<ServiceOptions> {
  const config = (await built(service, 'config')) as Record<string, (env: object) => unknown>;
  const module = (await built(service, `${service}-service.module`)) as Record<
    string,
    (config: unknown) => ServiceOptions
  >;
  const settings = config[`${service}Config`]?.(environment(databaseUrl));
  const options = module[`${service}Service`]?.(settings);
  if (!options) throw new Error(`apps/${service} does not export ${service}Service.`);
  return options;
}

function built(service: Service, file: string): Promise<unknown> {
  return import(new URL(`../apps/${service}/dist/${file}.js`, import.meta.url).href);
}

function environment(databaseUrl: string): NodeJS.ProcessEnv {
  const secret = () => randomBytes(32).toString('base64url');
  return {
    DATABASE_URL: databaseUrl,
    LOG_LEVEL: 'silent',
    SIGNET_KEY_ENCRYPTION_KEY: secret(),
    SIGNET_COOKIE_SECRET: secret(),
    SIGNET_ORDERS_CLIENT_SECRET: secret(),
    SIGNET_PAYMENT_PROVIDER: 'sandbox',
    SIGNET_SANDBOX_API_KEY: secret(),
    SIGNET_SANDBOX_WEBHOOK_SECRETS: secret(),
  };
}

async function createDatabase(server: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

function byPath(a: Row, b: Row): number {
  return compare(a.path, b.path) || compare(a.method, b.method);
}

/** By code unit, so that the table is the same everywhere. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function section(service: Service, { guarded, outside }: Routes): string {
  const lines = guarded.map(({ method, path, access, handler }) => {
    return `| \`${method} ${path}\` | ${access} | \`${handler}\` |`;
  });
  return [
    `## ${service}\n`,
    '| Route | Open to | Handler |',
    '| --- | --- | --- |',
    ...lines,
    '\nOutside the guard:\n',
    ...outside.map((route) => `- \`${route}\``),
  ].join('\n');
}
