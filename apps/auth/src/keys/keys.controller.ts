import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Roles } from '@signet/auth-guard';
import { InjectDatabase } from '@signet/database';
import type { Database } from '@signet/database';
import { decodeCursor, pageOf, Returns, toPage } from '@signet/http';
import type { Page } from '@signet/http';
import { desc, sql } from 'drizzle-orm';
import { z } from 'zod';
import { position } from '../position.js';
import { signingKeys } from '../schema.js';
import { LiveSessionGuard } from '../sessions/live-session.guard.js';
import { keyQuery, signingKey } from './key.schema.js';
import type { KeyQuery, SigningKeyView } from './key.schema.js';

const newestFirst = position(z.base64url());

@ApiTags('administration')
@Controller('admin/keys')
@Roles('admin')
@UseGuards(LiveSessionGuard)
export class KeysController {
  constructor(@InjectDatabase() private readonly database: Database) {}

  /** The signing keys and where each is in its life, the newest first. */
  @Get()
  @Returns(200, pageOf(signingKey))
  async list(@Query({ schema: keyQuery }) query: KeyQuery): Promise<Page<SigningKeyView>> {
    const after = decodeCursor(query.cursor, newestFirst);
    const rows = await this.database
      .select()
      .from(signingKeys)
      .where(
        after &&
          sql`(${signingKeys.createdAt}, ${signingKeys.kid}) < (${after[0]}::timestamptz, ${after[1]})`,
      )
      .orderBy(desc(signingKeys.createdAt), desc(signingKeys.kid))
      .limit(query.limit + 1);
    return toPage(rows.map(toView), query.limit, (row) => [row.createdAt, row.kid]);
  }
}

function toView(row: typeof signingKeys.$inferSelect): SigningKeyView {
  return {
    kid: row.kid,
    state: row.state,
    alg: row.publicJwk.alg ?? '',
    createdAt: row.createdAt.toISOString(),
    activatedAt: row.activatedAt?.toISOString() ?? null,
    retiredAt: row.retiredAt?.toISOString() ?? null,
    removedAt: row.removedAt?.toISOString() ?? null,
  };
}
