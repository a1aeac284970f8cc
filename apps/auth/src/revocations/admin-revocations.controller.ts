import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Roles } from '@signet/auth-guard';
import { InjectDatabase } from '@signet/database';
import type { Database } from '@signet/database';
import { decodeCursor, pageOf, Returns, toPage } from '@signet/http';
import type { Page } from '@signet/http';
import { and, desc, eq, inArray, lt } from 'drizzle-orm';
import { z } from 'zod';
import { revocations } from '../schema.js';
import { LiveSessionGuard } from '../sessions/live-session.guard.js';
import { revocation, revocationQuery } from './revocation.schema.js';
import type { RevocationQuery, RevocationView } from './revocation.schema.js';

const newestFirst = z.tuple([z.int().positive()]);

@ApiTags('administration')
@Controller('admin/revocations')
@Roles('admin')
@UseGuards(LiveSessionGuard)
export class AdminRevocationsController {
  constructor(@InjectDatabase() private readonly database: Database) {}

  @Get()
  @ApiOperation({
    summary: 'What made tokens void, who did it and why, the newest first',
    description:
      'Each with the signed event that services were told. Kept for 30 days after the last token has expired.',
  })
  @Returns(200, pageOf(revocation))
  async list(
    @Query({ schema: revocationQuery }) { limit, cursor, subject }: RevocationQuery,
  ): Promise<Page<RevocationView>> {
    const [after] = decodeCursor(cursor, newestFirst) ?? [];
    const ofSubject =
      subject === undefined
        ? undefined
        : and(
            // The index begins with it.
            inArray(revocations.kind, revocation.shape.kind.options),
            eq(revocations.subject, subject),
          );
    const rows = await this.database
      .select()
      .from(revocations)
      .where(and(ofSubject, after === undefined ? undefined : lt(revocations.id, after)))
      .orderBy(desc(revocations.id))
      .limit(limit + 1);
    const page = toPage(rows, limit, ({ id }) => [id]);
    return { ...page, items: page.items.map(toView) };
  }
}

function toView(row: typeof revocations.$inferSelect): RevocationView {
  const { kind, subject, cause, actor, before, until, seq, token } = row;
  const at = row.createdAt.toISOString();
  return { id: String(row.id), at, kind, subject, cause, actor, before, until, seq, token };
}
