import type { Transaction } from '@signet/database';
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import Provider, { errors } from 'oidc-provider';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { hash } from 'node:crypto';
import { engineRecords, grants } from '../schema.js';
import type { SessionStore } from '../sessions/session-store.js';
import { findRecord, storeRecord } from './record-statements.js';
import type { FoundRecord, NewRecord } from './record-statements.js';
import { hmac, keyFor, seal, unseal } from './secret-box.js';
import { requester } from './requester.js';
import type { UnitOfWork } from './unit-of-work.js';

/** Models that are issued from a grant. Others may name one without belonging to it. */
const ISSUED_FROM_GRANTS = new Set([
  'AccessToken',
  'AuthorizationCode',
  'BackchannelAuthenticationRequest',
  'DeviceCode',
  'PreAuthorizedCode',
  'RefreshToken',
]);

/** Models whose records hold secrets of others, such as the browser's session cookie. */
const SEALED = new Set(['Interaction']);

/** Models of which a second record with the same value is an attack. */
const ONCE_ONLY = new Set(['ReplayDetection', 'UsedProof']);

const FOREIGN_KEY_VIOLATION = '23503';

/** Everything that the engine stores except grants: found by the hash of its value. */
export class RecordAdapter implements Adapter {
  constructor(
    private readonly model: string,
    protected readonly unit: UnitOfWork,
    private readonly sessions: SessionStore,
    /** Shared by all replicas, and not in the database. */
    private readonly secret: string,
  ) {}

  /**
   * @throws {errors.InvalidGrant} when the grant has gone meanwhile
   * @throws {errors.InvalidRequest} when there is a record already that there must be one of
   */
  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const record = this.recordOf(id, payload, expiresIn);
    try {
      const stored = await this.unit.write((transaction) => storeRecord.run(transaction, record));
      if (stored.length === 0) throw new errors.InvalidRequest('used before');
    } catch (error) {
      if (!isForeignKeyViolation(error)) throw error;
      throw new errors.InvalidGrant({ detail: 'the grant has ended', cause: error });
    }
  }

  find(id: string): Promise<AdapterPayload | undefined> {
    return this.load(findRecord.byHash, this.hashOf(id), { jti: id });
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.load(findRecord.byUid, uid);
  }

  findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.load(findRecord.byUserCode, this.userCodeHash(userCode), { userCode });
  }

  /**
   * Of any number of callers one succeeds. The others hold a token that was exchanged before: the
   * family ends (RFC 9700 section 4.14.2).
   *
   * @throws {errors.InvalidGrant} when the record was consumed before, or is gone
   */
  async consume(id: string): Promise<void> {
    const consumed = await this.unit.write(async (transaction) => {
      const grantId = await this.lockGrant(transaction, id);
      const { rowCount } = await transaction
        .update(engineRecords)
        .set({ consumedAt: sql`now()` })
        .where(and(this.is(id), isNull(engineRecords.consumedAt)));
      if (rowCount === 1) return true;
      if (grantId !== undefined) {
        const actor = requester(Provider.ctx);
        await this.sessions.end(transaction, [grantId], 'token_reuse', actor);
      }
      return false;
    });
    if (!consumed) throw new errors.InvalidGrant({ detail: 'consumed before' });
  }

  async destroy(id: string): Promise<void> {
    await this.unit.write(async (transaction) => {
      await this.lockGrant(transaction, id);
      await transaction.delete(engineRecords).where(this.is(id));
    });
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await this.unit.write(async (transaction) => {
      await transaction
        .select({ id: grants.id })
        .from(grants)
        .where(eq(grants.id, grantId))
        .for('update');
      await transaction
        .delete(engineRecords)
        .where(and(eq(engineRecords.model, this.model), eq(engineRecords.grantId, grantId)));
    });
  }

  /** A row for what the engine stores. */
  protected recordOf(id: string, payload: AdapterPayload, expiresIn?: number): NewRecord {
    const { userCode, grantId, uid } = payload;
    return {
      model: this.model,
      hash: this.hashOf(id),
      payload: this.close(id, withoutSecrets(payload)),
      grantId: ISSUED_FROM_GRANTS.has(this.model) ? (grantId ?? null) : null,
      uid: uid ?? null,
      // A record that was found by its device code comes back without its user code.
      userCodeHash: userCode === undefined ? null : this.userCodeHash(userCode),
      expiresAt: expiresIn === undefined ? null : new Date(Date.now() + expiresIn * 1000),
      onceOnly: ONCE_ONLY.has(this.model),
      parentHash: null,
      sealedValue: null,
    };
  }

  /** What the engine stored in the record. */
  protected payloadOf(
    { hash, payload, consumed }: FoundRecord,
    known: AdapterPayload = {},
  ): AdapterPayload {
    const jti = known.jti ?? this.handleOf(hash);
    return {
      ...this.open(jti, payload),
      ...known,
      jti,
      ...(consumed !== null && { consumed: Number(consumed) }),
    };
  }

  /** Grants are locked before their records, by everyone: otherwise two could wait for each other. */
  private async lockGrant(transaction: Transaction, id: string): Promise<string | undefined> {
    const [record] = await transaction
      .select({ grantId: engineRecords.grantId })
      .from(engineRecords)
      .where(this.is(id));
    if (!record?.grantId) return undefined;
    await transaction
      .select({ id: grants.id })
      .from(grants)
      .where(eq(grants.id, record.grantId))
      .for('update');
    return record.grantId;
  }

  private async load(
    statement: typeof findRecord.byHash,
    value: string,
    known?: AdapterPayload,
  ): Promise<AdapterPayload | undefined> {
    const [record] = await this.unit.read((executor) =>
      statement.run(executor, { model: this.model, value }),
    );
    return record && this.payloadOf(record, known);
  }

  private is(id: string): SQL | undefined {
    return and(eq(engineRecords.model, this.model), eq(engineRecords.hash, this.hashOf(id)));
  }

  /** What a sealed record holds can be read with the record's own value, which is in no row. */
  private close(id: string, payload: AdapterPayload): AdapterPayload {
    if (!SEALED.has(this.model)) return payload;
    return { sealed: seal(this.sealingKey(id), JSON.stringify(payload)) };
  }

  private open(id: string, payload: AdapterPayload): AdapterPayload {
    if (typeof payload.sealed !== 'string') return payload;
    return JSON.parse(unseal(this.sealingKey(id), payload.sealed)) as AdapterPayload;
  }

  private sealingKey(id: string): Buffer {
    return keyFor(`record ${this.model}`, this.secret, id);
  }

  /** Keyed, because the codes that people type are short enough to be guessed from a plain hash. */
  private userCodeHash(userCode: string): string {
    return hmac(keyFor('user code', this.secret), userCode);
  }

  /**
   * Stands for the value of a record that was found by something else than its value, so that the
   * engine can store it again. Nobody can make one out of a hash in the database.
   */
  private handleOf(hash: string): string {
    return `${HANDLE}${hash}.${hmac(keyFor(`handle ${this.model}`, this.secret), hash)}`;
  }

  protected hashOf(id: string): string {
    if (!id.startsWith(HANDLE)) return sha256(id);
    const hash = id.slice(HANDLE.length).split('.')[0] ?? '';
    return id === this.handleOf(hash) ? hash : sha256(id);
  }
}

const HANDLE = '.handle.';

/** The values that the row is found by; whoever finds it has them. */
function withoutSecrets({ ...payload }: AdapterPayload): AdapterPayload {
  delete payload.jti;
  delete payload.userCode;
  return payload;
}

export function sha256(value: string): string {
  return hash('sha256', value, 'base64url');
}

function isForeignKeyViolation(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === FOREIGN_KEY_VIOLATION;
}
