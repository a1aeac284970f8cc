import { pageQuery } from '@signet/http';
import { z } from 'zod';
import { AUDIENCE_NAMES, AUDIENCES, isServiceAudience } from '../oidc/audiences.js';
import { isClientKey } from './client-keys.js';
import { isNativeUri, isWebUri } from './client-uris.js';
import { CLIENT_AUTH_METHODS, DEVICE_GRANT, EXCHANGE_GRANT, GRANTS } from './grants.js';

const MAX_URIS = 20;

const uris = z.array(z.string().max(2000)).max(MAX_URIS).default([]);

const publicKey = z
  .looseObject({ kty: z.enum(['RSA', 'EC', 'OKP']), kid: z.string().max(200).optional() })
  .refine(
    isClientKey,
    'expected the public part of an RSA key of 2048 bits or more, or of a P-256 or Ed25519 key',
  );

const audiences = z
  .partialRecord(z.enum(AUDIENCE_NAMES), z.array(z.string()).min(1))
  .default({})
  .refine(
    (asked) =>
      AUDIENCE_NAMES.every((name) =>
        (asked[name] ?? []).every((scope) => AUDIENCES[name].some((known) => known === scope)),
      ),
    'expected scopes that the audience knows',
  );

/** RFC 7591 section 2, as far as it is supported here; `audiences` and what follows it are ours. */
const metadata = {
  client_name: z.string().trim().min(1).max(100),
  application_type: z.enum(['web', 'native']).default('web'),
  grant_types: z.array(z.enum(GRANTS)).min(1).max(GRANTS.length),
  token_endpoint_auth_method: z.enum(CLIENT_AUTH_METHODS).default('client_secret_basic'),
  /** Compared character by character; only the port of a native client's loopback URI may differ. */
  redirect_uris: uris,
  post_logout_redirect_uris: uris,
  backchannel_logout_uri: z.string().max(2000).optional(),
  /** Public keys of a client that authenticates with `private_key_jwt`. By value: nothing is fetched. */
  jwks: z.strictObject({ keys: z.array(publicKey).min(1).max(10) }).optional(),
  dpop_bound_access_tokens: z.boolean().default(false),
  require_pushed_authorization_requests: z.boolean().default(false),
  /** Scopes by audience: what tokens it may ask for. */
  audiences,
  /** One of the owner's own: its users are not asked whether it may act for them. */
  first_party: z.boolean().default(false),
  /** The audiences whose tokens it may introspect, being their resource server. */
  introspects: z.array(z.enum(AUDIENCE_NAMES)).default([]),
};

type Metadata = z.output<z.ZodObject<typeof metadata>>;

/** What must hold between members, and what to say when it does not. */
const RULES: readonly [member: keyof Metadata, message: string, holds: (m: Metadata) => boolean][] =
  [
    [
      'redirect_uris',
      'expected at least one with the grant authorization_code, and none without',
      (m) => m.grant_types.includes('authorization_code') === m.redirect_uris.length > 0,
    ],
    [
      'redirect_uris',
      'expected https, or http on a loopback address, or for native clients a reverse domain name as scheme',
      (m) => m.redirect_uris.every(m.application_type === 'web' ? isWebUri : isNativeUri),
    ],
    [
      'post_logout_redirect_uris',
      'expected what redirect_uris expects',
      (m) =>
        m.post_logout_redirect_uris.every(m.application_type === 'web' ? isWebUri : isNativeUri),
    ],
    [
      'backchannel_logout_uri',
      'expected https, or http on a loopback address',
      (m) => m.backchannel_logout_uri === undefined || isWebUri(m.backchannel_logout_uri),
    ],
    [
      'jwks',
      'expected with private_key_jwt, and only with it',
      (m) => (m.token_endpoint_auth_method === 'private_key_jwt') === (m.jwks !== undefined),
    ],
    [
      'token_endpoint_auth_method',
      'expected a client that authenticates for client_credentials, token exchange and introspection',
      (m) =>
        m.token_endpoint_auth_method !== 'none' ||
        (!m.grant_types.includes('client_credentials') &&
          !m.grant_types.includes(EXCHANGE_GRANT) &&
          m.introspects.length === 0),
    ],
    [
      'grant_types',
      'expected authorization_code or the device grant with refresh_token',
      (m) =>
        !m.grant_types.includes('refresh_token') ||
        m.grant_types.includes('authorization_code') ||
        m.grant_types.includes(DEVICE_GRANT),
    ],
    [
      'audiences',
      'expected the audience of a service for client_credentials and token exchange',
      (m) =>
        (!m.grant_types.includes('client_credentials') &&
          !m.grant_types.includes(EXCHANGE_GRANT)) ||
        Object.keys(m.audiences).some(isServiceAudience),
    ],
  ];

function check(value: Metadata, context: z.RefinementCtx): void {
  for (const [member, message, holds] of RULES) {
    if (!holds(value)) context.addIssue({ code: 'custom', path: [member], message });
  }
}

const strict = z.strictObject(metadata);

export const clientRegistration = strict.superRefine(check);

export const clientId = z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, 'expected the id of a client');

/** A client of the configuration, which has its id and secret from there. */
export const configuredClient = strict
  .extend({
    client_id: clientId,
    client_secret: z
      .string()
      .regex(/^[\x21-\x7e]{32,512}$/)
      .optional(),
  })
  .superRefine(check)
  .refine(
    (client) =>
      (client.token_endpoint_auth_method === 'client_secret_basic') ===
      (client.client_secret !== undefined),
    { path: ['client_secret'], error: 'expected 32 characters or more with client_secret_basic' },
  );

export const client = z.object({
  ...metadata,
  client_id: clientId,
  client_id_issued_at: z.int().describe('seconds since the epoch'),
  disabled: z.boolean(),
  configured: z.boolean().describe('whether it comes from the configuration, and is changed there'),
});

/** RFC 7591 section 3.2.1. */
export const registeredClient = client.extend({
  client_secret: z.string().optional().describe('shown this once'),
});

export const secretRotation = z.strictObject({
  /** For how long the old secret goes on working: a day at most, not at all by default. */
  overlap_seconds: z.int().min(0).max(86_400).default(0),
});

export const newSecret = z.object({
  client_id: clientId,
  client_secret: z.string().describe('shown this once'),
});

export const clientQuery = z.strictObject(pageQuery);

export type ClientRegistration = z.output<typeof clientRegistration>;
export type ConfiguredClient = z.output<typeof configuredClient>;
export type ClientView = z.output<typeof client>;
export type RegisteredClient = z.output<typeof registeredClient>;
export type SecretRotation = z.output<typeof secretRotation>;
export type NewSecret = z.output<typeof newSecret>;
export type ClientQuery = z.output<typeof clientQuery>;
