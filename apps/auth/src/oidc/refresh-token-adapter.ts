import { and, eq, gt, isNull, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import Provider from 'oidc-provider';
import type { AdapterPayload } from 'oidc-provider';
import type { AuthConfig } from '../config.js';
import { engineRecords, grants, sessions, users } from '../schema.js';
import type { SessionStore } from '../sessions/session-store.js';
import { account } from './claims.js';
import { RecordAdapter, sha256 } from './record-adapter.js';
import type { EngineRecord } from './record-adapter.js';
import { successorKey } from './refresh-rotation.js';
import type { RefreshRotation } from './refresh-rotation.js';
import { seal } from './secret-box.js';
import type { UnitOfWork } from './unit-of-work.js';

export interface RefreshTokenAdapterParts {
  config: AuthConfig;
  unit: UnitOfWork;
  sessions: SessionStore;
  rotation: RefreshRotation;
}

/** Refresh tokens: each knows its parent, and when one comes again `RefreshRotation` decides. */
export class RefreshTokenAdapter extends RecordAdapter {
  private readonly rotation: RefreshRotation;
  private readonly sealsSuccessors: boolean;

  constructor({ config, unit, sessions, rotation }: RefreshTokenAdapterParts) {
    super('RefreshToken', unit, sessions, config.SIGNET_COOKIE_SECRET);
    this.rotation = rotation;
    this.sealsSuccessors = config.SIGNET_REFRESH_GRACE_SECONDS > 0;
  }

  /** The engine would end the family of a consumed token by itself, whatever the reason it comes for. */
  override async find(id: string): Promise<AdapterPayload | undefined> {
    const payload = await super.find(id);
    if (payload && isRefreshing()) delete payload.consumed;
    return payload;
  }

  override async consume(id: string): Promise<void> {
    if (!this.rotation.hasDecided(Provider.ctx)) await super.consume(id);
  }

  /** Together with what the engine is going to ask for next. */
  protected override async row(condition: SQL | undefined): Promise<EngineRecord | undefined> {
    if (!isRefreshing()) return super.row(condition);
    const [found] = await this.unit.read((executor) =>
      executor
        .select({ record: engineRecords, grant: grants.payload, account })
        .from(engineRecords)
        .leftJoin(
          grants,
          and(eq(grants.id, engineRecords.grantId), gt(grants.expiresAt, sql`now()`)),
        )
        .leftJoin(sessions, eq(sessions.sid, engineRecords.grantId))
        .leftJoin(users, and(eq(users.id, sessions.userId), isNull(users.disabledAt)))
        .where(condition),
    );
    if (found?.grant) this.unit.offer(`grant ${found.record.grantId ?? ''}`, found.grant);
    if (found?.account) this.unit.offer(`account ${found.account.id}`, found.account);
    return found?.record;
  }

  protected override columnsOf(id: string) {
    const parent = Provider.ctx?.oidc.entities.RotatedRefreshToken?.jti;
    if (parent === undefined) return {};
    return {
      parentHash: sha256(parent),
      sealedValue: this.sealsSuccessors ? seal(successorKey(parent), id) : null,
    };
  }
}

function isRefreshing(): boolean {
  return Provider.ctx?.oidc.params?.grant_type === 'refresh_token';
}
