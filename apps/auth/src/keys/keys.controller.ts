import { Body, Controller, Get, Post, Query, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { RequireFresh, Roles } from '@signet/auth-guard';
import { ActingUser, InjectDatabase } from '@signet/database';
import type { Actor, Database } from '@signet/database';
import { decodeCursor, notFound, pageOf, Returns, toPage } from '@signet/http';
import type { Page } from '@signet/http';
import { desc, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { position } from '../position.js';
import { signingKeys } from '../schema.js';
import { LiveSessionGuard } from '../sessions/live-session.guard.js';
import { KeyRotator } from './key-rotator.js';
import { keyQuery, keyRotation, signingKey } from './key.schema.js';
import type { KeyQuery, KeyRotation, SigningKeyView } from './key.schema.js';

const newestFirst = position(z.base64url());

@ApiTags('administration')
@Controller('admin/keys')
@Roles('admin')
@UseGuards(LiveSessionGuard)
export class KeysController {
  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly rotator: KeyRotator,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The signing keys and where each is in its life, the newest first' })
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

  @Post('rotate')
  @ApiOperation({
    summary: 'Lets the next key sign from now on',
    description:
      'The old one goes on verifying until its last token has expired, unless it is withdrawn: then every token that was issued so far is void, and clients refresh. Services follow at their next look at the key set.',
  })
  @RequireFresh()
  @Returns(200, signingKey, 'The key that signs now')
  @ApiResponse({ status: 409, description: 'Verifiers may not know the next key: `key_not_ready`' })
  async rotate(
    @Body({ schema: keyRotation }) { withdraw }: KeyRotation,
    @ActingUser() actor: Actor,
  ): Promise<SigningKeyView> {
    const kid = await this.rotator.rotate(withdraw ? 'withdraw' : 'rotate', actor);
    const [row] = await this.database.select().from(signingKeys).where(eq(signingKeys.kid, kid));
    if (!row) throw notFound('key');
    return toView(row);
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
