import { join } from 'node:path';
import type { Secrets } from './secrets.ts';

/** The services in the order they are shown in, with what the launcher knows of each. */
export const SERVICES = [
  { name: 'auth', port: 3000, portVariable: 'SIGNET_AUTH_PORT' },
  { name: 'orders', port: 3001, portVariable: 'SIGNET_ORDERS_PORT' },
  { name: 'payments', port: 3002, portVariable: 'SIGNET_PAYMENTS_PORT' },
  { name: 'inventory', port: 3003, portVariable: 'SIGNET_INVENTORY_PORT' },
] as const;

/** The payment provider to try things with, which is no service of ours: payments calls it. */
export const SANDBOX = { port: 3010, portVariable: 'SIGNET_SANDBOX_PORT' } as const;
export const POSTGRES = { port: 5442, portVariable: 'SIGNET_POSTGRES_PORT' } as const;

export type ServiceName = (typeof SERVICES)[number]['name'];
/** What runs as a Node process. */
export type ProcessName = ServiceName | 'sandbox';
export type Ports = Record<ProcessName | 'postgres', number>;

export const HOST = '127.0.0.1';

export const DEMO_ROLES = ['admin', 'warehouse', 'support', 'customer'] as const;
export type DemoRole = (typeof DEMO_ROLES)[number];

export interface DemoAccount {
  email: string;
  role: DemoRole;
  password: string;
}

/** An account for each role. */
export function demoAccounts({ demoPasswords }: Secrets): DemoAccount[] {
  return DEMO_ROLES.map((role) => ({
    email: `${role}@signet.test`,
    role,
    password: demoPasswords[role],
  }));
}

export function addressOf(name: ProcessName, ports: Ports): string {
  return `http://${HOST}:${ports[name]}`;
}

/** What the services' environments are made of. */
export interface EnvironmentSource {
  ports: Ports;
  dataDir: string;
  secrets: Secrets;
  /** Each service's connection URL. */
  databaseUrls: Record<ServiceName, string>;
  /** Whether the demo accounts get their password again though they exist. */
  resetPasswords: boolean;
  /** The launcher's own environment, of which a service sees next to nothing. */
  inherited: NodeJS.ProcessEnv;
}

/** Everything a service sees of the outside: what it needs, and nothing it could leak of others. */
export function serviceEnvironment(
  name: ServiceName,
  source: EnvironmentSource,
): NodeJS.ProcessEnv {
  const { ports, dataDir, databaseUrls } = source;
  const issuer = addressOf('auth', ports);
  return {
    ...passedOn(name, source.inherited),
    HOST,
    PORT: String(ports[name]),
    DATABASE_URL: databaseUrls[name],
    SIGNET_ISSUER: issuer,
    ...(name === 'auth'
      ? authEnvironment(source)
      : {
          SIGNET_JWKS_URI: `${issuer}/.well-known/jwks.json`,
          SIGNET_JWKS_SNAPSHOT: join(dataDir, `${name}-jwks.json`),
          SIGNET_REVOCATIONS_SNAPSHOT: join(dataDir, `${name}-revocations.txt`),
        }),
    ...(name === 'payments' && paymentsEnvironment(source)),
    ...(name === 'orders' && ordersEnvironment(source)),
  };
}

function authEnvironment({ secrets, resetPasswords }: EnvironmentSource): NodeJS.ProcessEnv {
  const seeds = demoAccounts(secrets).map(({ email, role, password }) => ({
    email,
    password,
    roles: [role],
    ...(resetPasswords && { resetPassword: true }),
  }));
  return {
    SIGNET_KEY_ENCRYPTION_KEY: secrets.keyEncryptionKey,
    SIGNET_COOKIE_SECRET: secrets.cookieSecret,
    SIGNET_ORDERS_CLIENT_SECRET: secrets.ordersClientSecret,
    SIGNET_SEED_ACCOUNTS: JSON.stringify(seeds),
  };
}

function ordersEnvironment({ ports, secrets }: EnvironmentSource): NodeJS.ProcessEnv {
  return {
    SIGNET_INVENTORY_URL: addressOf('inventory', ports),
    SIGNET_PAYMENTS_URL: addressOf('payments', ports),
    SIGNET_ORDERS_CLIENT_SECRET: secrets.ordersClientSecret,
  };
}

function paymentsEnvironment({ ports, secrets }: EnvironmentSource): NodeJS.ProcessEnv {
  return {
    SIGNET_PAYMENT_PROVIDER: 'sandbox',
    SIGNET_SANDBOX_URL: addressOf('sandbox', ports),
    SIGNET_SANDBOX_API_KEY: secrets.sandboxApiKey,
    SIGNET_SANDBOX_WEBHOOK_SECRETS: secrets.sandboxWebhookSecret,
  };
}

/** What the sandbox provider sees: it has a file instead of a database. */
export function sandboxEnvironment({
  ports,
  dataDir,
  secrets,
  inherited,
}: EnvironmentSource): NodeJS.ProcessEnv {
  return {
    ...passedOn('sandbox', inherited),
    HOST,
    PORT: String(ports.sandbox),
    SIGNET_SANDBOX_DATA: join(dataDir, 'sandbox.jsonl'),
    SIGNET_SANDBOX_API_KEY: secrets.sandboxApiKey,
    SIGNET_SANDBOX_WEBHOOK_URL: `${addressOf('payments', ports)}/webhooks/sandbox`,
    SIGNET_SANDBOX_WEBHOOK_SECRET: secrets.sandboxWebhookSecret,
  };
}

/** What a service may be given from our own environment: only what is its own. */
const PASSED_ON =
  /^(PATH|LANG|TZ|LOG_LEVEL|DATABASE_POOL_SIZE|RATE_LIMIT_PER_MINUTE|TRUSTED_PROXIES|CORS_ORIGINS|NODE_.+|OTEL_.+)$/;

const PASSED_ON_TO: Record<ProcessName, RegExp> = {
  auth: /^SIGNET_(CLIENTS|CLIENTS_FILE|(ACCESS_TOKEN|SESSION|REFRESH|LOGIN|REGISTRATIONS|PASSWORD|DEVICE_CODE|JWKS_MAX|KEY_ROTATION|REVOCATION)_.+)$/,
  orders: /^SIGNET_((CHECKOUT|REFUNDS)_.+|ORDER_STREAMS|SERVICE_TIMEOUT_MS)$/,
  inventory: /^SIGNET_RESERVATION_.+$/,
  payments: /^SIGNET_(PROVIDER_DEADLINE|RECONCILE_AFTER)_MS$/,
  sandbox: /^SIGNET_SANDBOX_CHAOS$/,
};

function passedOn(name: ProcessName, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([variable]) => PASSED_ON.test(variable) || PASSED_ON_TO[name].test(variable),
    ),
  );
}
