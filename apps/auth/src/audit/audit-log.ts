import { Injectable } from '@nestjs/common';
import { InjectDatabase } from '@signet/database';
import type { Database, Transaction } from '@signet/database';
import { decodeCursor, toPage } from '@signet/http';
import type { Page } from '@signet/http';
import { and, desc, eq, lt } from 'drizzle-orm';
import { z } from 'zod';
import { auditEvents } from '../schema.js';
import type { AuditAction } from './audit-actions.js';
import type { AuditEvent, AuditQuery } from './audit.schema.js';

/** Who does something, and from where. */
export interface Actor {
  /** Id of a user or of a client; null when the service acts by itself. */
  id: string | null;
  address: string | null;
}

export const THE_SERVICE: Actor = { id: null, address: null };

export interface AuditEntry {
  action: AuditAction;
  actor: Actor;
  /** Id of the user, session, client or key that it was done to. */
  subject: string;
  details?: Record<string, unknown>;
}

const newestFirst = z.tuple([z.int().positive()]);

/** What changed rights or ended sessions. An entry commits together with what it speaks of. */
@Injectable()
export class AuditLog {
  constructor(@InjectDatabase() private readonly database: Database) {}

  async record(transaction: Transaction, ...entries: AuditEntry[]): Promise<void> {
    if (entries.length === 0) return;
    await transaction.insert(auditEvents).values(
      entries.map(({ actor, ...entry }) => ({
        ...entry,
        actor: actor.id,
        address: actor.address,
      })),
    );
  }

  /** Entries, the newest first. */
  async list({ limit, cursor, ...wanted }: AuditQuery): Promise<Page<AuditEvent>> {
    const [after] = decodeCursor(cursor, newestFirst) ?? [];
    const rows = await this.database
      .select()
      .from(auditEvents)
      .where(
        and(
          wanted.action && eq(auditEvents.action, wanted.action),
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
