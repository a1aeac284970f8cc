import type { AuthGuardOptions } from '@signet/auth-guard';
import { z } from 'zod';
import type { ServiceConfig } from './config.js';

/** The variables of a service that verifies tokens with the issuer's published keys. */
export const resourceServerVariables = {
  SIGNET_JWKS_URI: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:3000/.well-known/jwks.json'),
  /** File that keeps the last good key set, so that the service starts while auth is down. */
  SIGNET_JWKS_SNAPSHOT: z.string().min(1).optional(),
  /** `true` where services reach each other over http on a network that nobody else can use. */
  SIGNET_ALLOW_PLAIN_HTTP: z.stringbool().default(false),
  /** The issuer's revocation feed; below the issuer by default. `none` for an issuer without one. */
  SIGNET_REVOCATIONS_URL: z
    .union([z.literal('none'), z.url({ protocol: /^https?$/ })], {
      error: 'expected the URL of the revocation feed, or none',
    })
    .optional(),
  /** File that keeps what was verified of the feed, so that nothing is forgotten while auth is down. */
  SIGNET_REVOCATIONS_SNAPSHOT: z.string().min(1).optional(),
};

type ResourceServerConfig = Pick<
  ServiceConfig,
  'HOST' | 'PORT' | 'SIGNET_ISSUER' | 'SIGNET_PUBLIC_URL'
> &
  z.infer<z.ZodObject<typeof resourceServerVariables>>;

/** The audience of users' tokens: one token opens every service. */
const PLATFORM_AUDIENCE = 'urn:signet:api';

/**
 * What the guard of a service needs to know.
 *
 * @param ownAudience of the tokens that other services get for this one, when they may call it
 */
export function guardOptions(config: ResourceServerConfig, ownAudience?: string): AuthGuardOptions {
  const publicUrl = config.SIGNET_PUBLIC_URL ?? `http://${config.HOST}:${config.PORT}`;
  return {
    issuer: config.SIGNET_ISSUER,
    audience: ownAudience === undefined ? PLATFORM_AUDIENCE : [PLATFORM_AUDIENCE, ownAudience],
    keys: {
      jwksUri: config.SIGNET_JWKS_URI,
      snapshotPath: config.SIGNET_JWKS_SNAPSHOT,
      allowPlainHttp: config.SIGNET_ALLOW_PLAIN_HTTP,
    },
    dpop: { publicUrls: publicUrl },
    resourceMetadata: { resource: publicUrl },
    ...followed(config),
  };
}

function followed(config: ResourceServerConfig): Pick<AuthGuardOptions, 'revocation'> {
  const { SIGNET_ISSUER: issuer, SIGNET_REVOCATIONS_URL: given } = config;
  if (given === 'none') return {};
  const url = given ?? `${issuer.replace(/\/$/, '')}/revocations`;
  return { revocation: { feed: { url, snapshotPath: config.SIGNET_REVOCATIONS_SNAPSHOT } } };
}
