import {
  bigint,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';

/**
 * The answers given under each Idempotency-Key. A service re-exports this table from its own schema,
 * so that the record commits with the rows that it speaks of.
 */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    /** Who asked, and of which route: one caller's key means nothing to another. */
    scope: text().notNull(),
    key: text().notNull(),
    /** SHA-256 of the request's body, base64url. */
    fingerprint: text().notNull(),
    status: integer().notNull(),
    body: jsonb(),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.scope, table.key] }),
    index('idempotency_keys_created_at').on(table.createdAt),
  ],
);

/**
 * Who did what to whom, when and from where. Outlives those it speaks of. A service re-exports this
 * table from its own schema; `AuditLog` writes and reads it.
 */
export const auditEvents = pgTable(
  'audit_events',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    /** Milliseconds, as JavaScript has them. */
    at: timestamp({ withTimezone: true, precision: 3 }).notNull().defaultNow(),
    action: text().notNull(),
    /** Id of a user or of a client; null when the service did it by itself. */
    actor: text(),
    /** Id of what it was done to. */
    subject: text().notNull(),
    address: text(),
    details: jsonb().$type<Record<string, unknown>>(),
  },
  (table) => [
    index('audit_events_subject').on(table.subject, table.id),
    index('audit_events_actor').on(table.actor, table.id),
    index('audit_events_at').on(table.at),
  ],
);
