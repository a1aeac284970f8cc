import { Injectable } from '@nestjs/common';
import { decodeCursor, toPage } from '@signet/http';
import type { Page } from '@signet/http';
import { and, desc, eq, lt } from 'drizzle-orm';
import { z } from 'zod';
import { Retention } from '../retention.js';
import { auditEvents } from '../schema.js';
import { InjectDatabase } from '../tokens.js';
import type { Database, Transaction } from '../tokens.js';
import type { Actor } from './actor.js';
import type { AuditEvent, AuditQuery } from './audit.schema.js';

export interface AuditEntry<Action extends string = string> {
  /** What was done, as `thing.done`: `product.changed`. */
  action: Action;
  actor: Actor;
  /** Id of what it was done to. */
  subject: string;
  /** What else matters; `before` and `after` of a change. Never a secret. */
  details?: Record<string, unknown>;
}

/** Longer than a year, so that the same season of the year before can still be looked at. */
const KEPT_DAYS = 400;

const newestFirst = z.tuple([z.int().positive()]);

/**
 * Who did what, for the eyes of administrators. An entry commits together with what it speaks of. A
 * service whose actions are known names them: `audit: AuditLog<'product.changed' | …>`.
 */
@Injectable()
export class AuditLog<Action extends string = string> {
  private readonly retention: Retention;

  constructor(@InjectDatabase() private readonly database: Database) {
    this.retention = new Retention(database, auditEvents.at, KEPT_DAYS);
  }

  /** Writes entries; of an actor on someone's behalf, `details.onBehalfOf` says on whose. */
  async record(transaction: Transaction, ...entries: AuditEntry<Action>[]): Promise<void> {
    if (entries.length === 0) return;
    await transaction.insert(auditEvents).values(entries.map(toRow));
    this.retention.sweepWhenDue();
  }

  /** Entries, the newest first. */
  async list({ limit, cursor, ...wanted }: AuditQuery): Promise<Page<AuditEvent>> {
    const [after] = decodeCursor(cursor, newestFirst) ?? [];
    const rows = await this.database
      .select()
      .from(auditEvents)
      .where(
        and(
          wanted.action === undefined ? undefined : eq(auditEvents.action, wanted.action),
          wanted.actor === undefined ? undefined : eq(auditEvents.actor, wanted.actor),
          wanted.subject === undefined ? undefined : eq(auditEvents.subject, wanted.subject),
          after === undefined ? undefined : lt(auditEvents.id, after),
        ),
      )
      .orderBy(desc(auditEvents.id))
      .limit(limit + 1);
    const page = toPage(rows, limit, (row) => [row.id]);
    return {
      ...page,
      items: page.items.map(({ id, at, ...row }) => ({
        id: String(id),
        at: at.toISOString(),
        ...row,
      })),
    };
  }
}

function toRow({ actor, details, ...entry }: AuditEntry): typeof auditEvents.$inferInsert {
  const { id, address, onBehalfOf } = actor;
  const said = onBehalfOf === undefined ? details : { ...details, onBehalfOf };
  return { ...entry, actor: id, address, details: said };
}
