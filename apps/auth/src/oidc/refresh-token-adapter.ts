import Provider from 'oidc-provider';
import type { AdapterPayload } from 'oidc-provider';
import type { AuthConfig } from '../config.js';
import type { SessionStore } from '../sessions/session-store.js';
import { RecordAdapter, sha256 } from './record-adapter.js';
import { successorKey } from './locked-refreshes.js';
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

  /** Together with what the engine is going to ask for next. */
  override async find(id: string): Promise<AdapterPayload | undefined> {
    if (!isRefreshing()) return super.find(id);
    const found = await this.rotation.find(this.hashOf(id));
    if (!found) return undefined;
    const { grant_id, grant_payload, user_id, email } = found;
    if (grant_payload) this.unit.offer(`grant ${grant_id ?? ''}`, grant_payload);
    if (user_id !== null) this.unit.offer(`account ${user_id}`, { id: user_id, email });
    // The engine would end the family of a consumed token by itself, whatever the reason it comes for.
    return this.payloadOf({ ...found, consumed: null }, { jti: id });
  }

  override async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const { ctx: context } = Provider;
    const parent = context?.oidc.entities.RotatedRefreshToken?.jti;
    if (!context || parent === undefined) return super.upsert(id, payload, expiresIn);
    const record = {
      ...this.recordOf(id, payload, expiresIn),
      parentHash: sha256(parent),
      sealedValue: this.sealsSuccessors ? seal(successorKey(parent), id) : null,
    };
    await this.rotation.store(context, record);
  }

  override async consume(id: string): Promise<void> {
    if (!this.rotation.hasDecided(Provider.ctx)) await super.consume(id);
  }
}

function isRefreshing(): boolean {
  return Provider.ctx?.oidc.params?.grant_type === 'refresh_token';
}
