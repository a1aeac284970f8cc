import { index, integer, jsonb, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';

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
