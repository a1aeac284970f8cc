import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';
import type { JWK } from 'jose';
import type { AdapterPayload } from 'oidc-provider';
import { ROLES } from './accounts/roles.js';
import type { ClientRegistration } from './clients/client.schema.js';
import { KEY_STATES } from './keys/key-states.js';
import { REVOCATION_CAUSES } from './revocations/causes.js';
import { ENDINGS } from './sessions/endings.js';

export { auditEvents } from '@signet/database/schema';

/** Milliseconds, as JavaScript has them: a cursor made from one finds its row again. */
const moment = () => timestamp({ withTimezone: true, precision: 3 });

const literals = (values: readonly string[]) => sql.raw(values.map((v) => `'${v}'`).join(', '));

export const users = pgTable(
  'users',
  {
    id: uuid().primaryKey().defaultRandom(),
    /** In lower case: two spellings of one address are one account. */
    email: text().notNull(),
    /** PHC string of argon2id. */
    passwordHash: text().notNull(),
    /** The same of the last password that the configuration gave the account: it gives each one once. */
    seedPasswordHash: text(),
    roles: text({ enum: ROLES }).array().notNull(),
    disabledAt: moment(),
    createdAt: moment().notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('users_email').on(table.email),
    index('users_page').on(table.createdAt, table.id),
    index('users_admins')
      .on(table.id)
      .where(sql`${table.roles} @> array['admin'] and ${table.disabledAt} is null`),
    check('users_email_lower_case', sql`${table.email} = lower(${table.email})`),
    check('users_roles_known', sql`${table.roles} <@ array[${literals(ROLES)}]`),
  ],
);

/**
 * A login on one client, for the eyes of its user and of administrators. Outlives its grant.
 *
 * Each refresh updates a row here and one in `engine_records`. What it changes is in no index, so that
 * PostgreSQL writes the new version beside the old one and leaves all indexes alone. The migrations leave
 * room for that in each page.
 */
export const sessions = pgTable(
  'sessions',
  {
    /** The id of the grant: the `sid` of every token of this login. */
    sid: text().primaryKey(),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    clientId: text().notNull(),
    /** `acr` and `amr` of the tokens: how the user proved who they are at `authenticatedAt`. */
    acr: text().notNull(),
    amr: text().array().notNull(),
    userAgent: text(),
    address: text(),
    /** The sign-on (`uid` of the engine's browser session) that it was begun through, or that it vouches for. */
    signOn: text(),
    /** When the user proved who they are: before `createdAt` when a sign-on stood for it. */
    authenticatedAt: moment().notNull().defaultNow(),
    createdAt: moment().notNull().defaultNow(),
    lastUsedAt: moment().notNull().defaultNow(),
    expiresAt: moment().notNull(),
    /** In UTC. What the sweeper finds the row by, since the moment itself changes too often for an index. */
    expiresOn: date().generatedAlwaysAs(sql`(expires_at at time zone 'UTC')::date`),
    endedAt: moment(),
    ending: text({ enum: ENDINGS }),
  },
  (table) => [
    index('sessions_of_user').on(table.userId, table.createdAt, table.sid),
    index('sessions_expires_on')
      .on(table.expiresOn)
      .where(sql`${table.endedAt} is null`),
    index('sessions_ended')
      .on(table.endedAt)
      .where(sql`${table.endedAt} is not null`),
    index('sessions_of_client')
      .on(table.clientId)
      .where(sql`${table.endedAt} is null`),
    index('sessions_sign_on').on(table.signOn),
    check('sessions_ending', sql`(${table.endedAt} is null) = (${table.ending} is null)`),
  ],
);

/** Applications that administrators have registered. Those of the configuration are in no row. */
export const clients = pgTable(
  'clients',
  {
    id: text().primaryKey(),
    metadata: jsonb().$type<ClientRegistration>().notNull(),
    /** SHA-256 of the secret, base64url. */
    secretHash: text(),
    /** The secret before, which goes on working for a while after it was replaced. */
    previousSecretHash: text(),
    previousSecretUntil: moment(),
    disabledAt: moment(),
    createdAt: moment().notNull().defaultNow(),
  },
  (table) => [index('clients_page').on(table.createdAt, table.id)],
);

/** The engine's grants. The only engine ids kept in clear: they open nothing. */
export const grants = pgTable(
  'grants',
  {
    id: text().primaryKey(),
    payload: jsonb().$type<AdapterPayload>().notNull(),
    expiresAt: moment().notNull(),
  },
  (table) => [index('grants_expiry').on(table.expiresAt)],
);

/** Everything else that the engine stores, found by the SHA-256 of its value. */
export const engineRecords = pgTable(
  'engine_records',
  {
    model: text().notNull(),
    /** SHA-256 of the token, base64url. The token itself is in no row. */
    hash: text().notNull(),
    /** A record cannot outlive its grant, nor come into being after it has gone. */
    grantId: text().references(() => grants.id, { onDelete: 'cascade' }),
    uid: text(),
    /** SHA-256 as well. */
    userCodeHash: text(),
    /** Of a refresh token: the hash of the one that it was exchanged for. */
    parentHash: text(),
    /** Its own value, readable to who has the parent's value: for a retry of that exchange. */
    sealedValue: text(),
    payload: jsonb().$type<AdapterPayload>().notNull(),
    consumedAt: moment(),
    expiresAt: moment(),
  },
  (table) => [
    primaryKey({ columns: [table.model, table.hash] }),
    index('engine_records_grant').on(table.grantId),
    uniqueIndex('engine_records_uid')
      .on(table.model, table.uid)
      .where(sql`${table.uid} is not null`),
    uniqueIndex('engine_records_user_code')
      .on(table.model, table.userCodeHash)
      .where(sql`${table.userCodeHash} is not null`),
    /** A token has one successor. */
    uniqueIndex('engine_records_parent').on(table.parentHash),
    index('engine_records_expiry').on(table.expiresAt),
  ],
);

export const signingKeys = pgTable(
  'signing_keys',
  {
    kid: text().primaryKey(),
    state: text({ enum: KEY_STATES }).notNull(),
    publicJwk: jsonb().$type<JWK>().notNull(),
    /** The private JWK under the key-encryption key; gone once the key is removed. */
    envelope: text(),
    createdAt: moment().notNull().defaultNow(),
    activatedAt: moment(),
    retiredAt: moment(),
    removedAt: moment(),
  },
  (table) => [
    uniqueIndex('signing_keys_one_active')
      .on(table.state)
      .where(sql`${table.state} = 'active'`),
    check('signing_keys_state', sql`${table.state} in (${literals(KEY_STATES)})`),
    check('signing_keys_private', sql`(${table.envelope} is null) = (${table.state} = 'removed')`),
  ],
);

/**
 * Which tokens are void before their time, written in the transaction of what makes them so. A row has
 * a number, and with it a place in the feed, once it is published.
 */
export const revocations = pgTable(
  'revocations',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    kind: text({ enum: ['session', 'client'] }).notNull(),
    /** The `sid` of a session, or a client's id. */
    subject: text().notNull(),
    /** Seconds, as `iat` has them: only tokens from before are void. */
    before: bigint({ mode: 'number' }),
    /** Seconds: when the last token that it can concern has expired. */
    until: bigint({ mode: 'number' }).notNull(),
    cause: text({ enum: REVOCATION_CAUSES }).notNull(),
    /** Id of a user or of a client; null when the service did it by itself. */
    actor: text(),
    /** The same for all rows of one cause. */
    txn: uuid().notNull(),
    createdAt: moment()
      .notNull()
      .default(sql`clock_timestamp()`),
    seq: bigint({ mode: 'number' }),
    /** Hash over all entries up to this one. */
    chain: text(),
    /** The Security Event Token that is sent. */
    token: text(),
  },
  (table) => [
    uniqueIndex('revocations_seq').on(table.seq),
    index('revocations_unpublished')
      .on(table.id)
      .where(sql`${table.seq} is null`),
    index('revocations_subject').on(table.kind, table.subject),
    index('revocations_until').on(table.until),
    check(
      'revocations_published',
      sql`(${table.seq} is null) = (${table.token} is null) and (${table.seq} is null) = (${table.chain} is null)`,
    ),
  ],
);

/** How far the feed of revocations has been published: one row. */
export const revocationFeed = pgTable(
  'revocation_feed',
  {
    id: integer().primaryKey(),
    seq: bigint({ mode: 'number' }).notNull(),
    chain: text().notNull(),
  },
  (table) => [check('revocation_feed_one_row', sql`${table.id} = 1`)],
);

/** Attempts counted by rate-limiter-flexible, which prescribes the columns. */
export const throttles = pgTable('throttles', {
  key: varchar({ length: 255 }).primaryKey(),
  points: integer().notNull().default(0),
  expire: bigint({ mode: 'number' }),
});
