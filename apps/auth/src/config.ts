import { readConfig, serviceVariables } from '@signet/http';
import { z } from 'zod';
import { email, password } from './accounts/credentials.js';
import { ROLES } from './accounts/roles.js';
import { configuredClient } from './clients/client.schema.js';
import { BUILT_IN_CLIENTS } from './clients/grants.js';

/** Injection token of the `AuthConfig`. */
export const AUTH_CONFIG = Symbol('AUTH_CONFIG');

const DAY = 24 * 60 * 60;

const count = z.coerce.number().int().min(1);

const seconds = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

const secret = z
  .string()
  .regex(/^[\x21-\x7e]{32,512}$/, 'expected 32 to 512 printable ASCII characters without spaces');

/** The engine's routes are fixed below the issuer, so the issuer is an origin and nothing more. */
const origin = serviceVariables.SIGNET_ISSUER.unwrap()
  .refine((url) => new URL(url).origin === url, {
    error:
      'expected scheme, host and port alone, such as https://id.example.com: no path and no final slash',
  })
  .default('http://127.0.0.1:3000');

const keyEncryptionKey = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}=?$/, 'expected 32 random bytes in base64url (43 characters)')
  .transform((text) => Buffer.from(text, 'base64url'));

const seedAccount = z.strictObject({
  email,
  password,
  roles: z.array(z.enum(ROLES)),
  /** Sets the password, once, also when the account exists already. */
  resetPassword: z.boolean().default(false),
});

/** @param form what it should have looked like */
const json = (form: string) =>
  z.string().transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.issues.push({ code: 'custom', input: text, message: `expected JSON: ${form}` });
      return z.NEVER;
    }
  });

const seedAccounts = json('[{ "email", "password", "roles", "resetPassword"? }]')
  .pipe(z.array(seedAccount))
  .default([]);

const configuredClients = json('[{ "client_id", "client_name", "grant_types", … }]')
  .pipe(z.array(configuredClient))
  .refine(
    (clients) => {
      const ids = [...BUILT_IN_CLIENTS, ...clients.map(({ client_id }) => client_id)];
      return new Set(ids).size === ids.length;
    },
    { error: `expected each client_id once, and none of ${BUILT_IN_CLIENTS.join(', ')}` },
  )
  .default([]);

const schema = z.object({
  ...serviceVariables,
  PORT: serviceVariables.PORT.default(3000),
  SIGNET_ISSUER: origin,
  /** AES-256 key over the private signing keys. Losing it means making new signing keys. */
  SIGNET_KEY_ENCRYPTION_KEY: keyEncryptionKey,
  /** The key before, while signing keys may still be under it. They are put under the new one at boot. */
  SIGNET_KEY_ENCRYPTION_KEY_PREVIOUS: keyEncryptionKey.optional(),
  /** How long verifiers may keep the key set. A key is published for longer before it signs. */
  SIGNET_JWKS_MAX_AGE_SECONDS: seconds(1, DAY).default(5 * 60),
  /** How long a key signs before the next one does. */
  SIGNET_KEY_ROTATION_SECONDS: seconds(1, 365 * DAY).default(30 * DAY),
  /** Signs the engine's cookies. */
  SIGNET_COOKIE_SECRET: secret,
  /** Secret of the confidential client `orders`. */
  SIGNET_ORDERS_CLIENT_SECRET: secret,
  SIGNET_SEED_ACCOUNTS: seedAccounts,
  /** Applications that are there from the start, as `POST /admin/clients` takes them, with their ids. */
  SIGNET_CLIENTS: configuredClients,
  SIGNET_ACCESS_TOKEN_SECONDS: seconds(10, 60 * 60).default(10 * 60),
  /** A session that is not used for so long ends. */
  SIGNET_SESSION_IDLE_SECONDS: seconds(60, 365 * DAY).default(14 * DAY),
  /** A session ends after so long however much it is used. */
  SIGNET_SESSION_ABSOLUTE_SECONDS: seconds(60, 365 * DAY).default(90 * DAY),
  /**
   * For so long after a refresh token was exchanged it may come again, if its answer was lost, and is
   * given the same successor. 0 turns it off.
   */
  SIGNET_REFRESH_GRACE_SECONDS: seconds(0, 60).default(10),
  /** Failed logins in 15 minutes, for one email address from one IP address. */
  SIGNET_LOGIN_ATTEMPTS: count.default(10),
  /** Failed logins in 15 minutes, for one email address from anywhere. */
  SIGNET_LOGIN_ATTEMPTS_TOTAL: count.default(100),
  /** Failed logins in 15 minutes, for any email addresses from one IP address. */
  SIGNET_LOGIN_ATTEMPTS_SOURCE: count.default(300),
  /** Registrations in an hour, successful or not, from one IP address. */
  SIGNET_REGISTRATIONS_PER_HOUR: count.default(60),
  /** Followers of the revocation feed that may be connected to this replica at the same time. */
  SIGNET_REVOCATION_FOLLOWERS: count.max(100_000).default(5_000),
  /** How many of them from one IP address, behind which all services of a network may stand. */
  SIGNET_REVOCATION_FOLLOWERS_PER_ADDRESS: count.max(100_000).default(1_250),
  /** Forms with a device's code in 15 minutes, right or wrong, from one IP address. */
  SIGNET_DEVICE_CODE_ATTEMPTS: count.default(60),
  /** Passwords hashed at the same time; each takes 19 MiB and a thread of the pool that signs too. */
  SIGNET_PASSWORD_CONCURRENCY: count.max(16).default(2),
});

export type AuthConfig = z.infer<typeof schema>;
export type SeedAccount = z.infer<typeof seedAccount>;

/** @throws {ConfigError} naming each variable that is missing or wrong, and what was expected */
export function authConfig(environment?: NodeJS.ProcessEnv): AuthConfig {
  return readConfig(schema, environment);
}
