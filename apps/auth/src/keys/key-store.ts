import { Injectable, Logger } from '@nestjs/common';
import { InjectDatabase } from '@signet/database';
import type { Database, Transaction } from '@signet/database';
import { eq, inArray, sql } from 'drizzle-orm';
import type { JWK } from 'jose';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { signingKeys } from '../schema.js';
import { KeyEncryption } from './key-encryption.js';
import type { RingKey } from './key-ring.js';
import { KEY_LIFE, KEY_STATES } from './key-states.js';
import type { KeyState } from './key-states.js';
import { ANNOUNCED } from './rotation-plan.js';
import { generateSigningKey } from './signing-key.js';
import type { NewSigningKey } from './signing-key.js';

export type KeyRow = Omit<typeof signingKeys.$inferSelect, 'envelope'>;

/** Whoever makes or changes keys holds this advisory lock. */
const KEY_LOCK = 7_461_938_202;

const PUBLISHED = KEY_STATES.filter((state) => KEY_LIFE[state].published);

/** The active one first, then in the order they were made in. */
const order = [sql`${signingKeys.state} <> 'active'`, signingKeys.createdAt, signingKeys.kid];

/** The rows of signing keys, whose private parts are in envelopes. */
@Injectable()
export class KeyStore {
  private readonly logger = new Logger('Keys');

  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly encryption: KeyEncryption,
  ) {}

  /**
   * Makes the first keys if there are none, and puts the others into envelopes of the key-encryption
   * key that is in use now.
   *
   * @throws {KeyEncryptionError} when an envelope cannot be opened
   */
  async prepare(): Promise<void> {
    await this.locked(async (transaction) => {
      const keys = await this.read(transaction);
      const wanted: KeyState[] = ['active', ...Array<KeyState>(ANNOUNCED).fill('next')];
      for (const { state } of keys) {
        if (wanted.includes(state)) wanted.splice(wanted.indexOf(state), 1);
      }
      const made = await Promise.all(
        wanted.map(async (state) => ({ state, key: await generateSigningKey() })),
      );
      // The very first key signs at once: no verifier has a key set yet that could lack it.
      for (const { state, key } of made) await this.insert(transaction, state, key);
      for (const { kid, envelope } of keys) await this.rewrap(transaction, kid, envelope ?? '');
    });
  }

  /** Runs `work` in a transaction while nobody else changes keys. */
  locked<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.database.transaction(async (transaction) => {
      await transaction.execute(sql`select pg_advisory_xact_lock(${KEY_LOCK})`);
      return work(transaction);
    });
  }

  /** As `locked`, unless someone changes keys at this moment. */
  async lockedIfFree(work: (transaction: Transaction) => Promise<void>): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const { rows } = await transaction.execute<{ free: boolean }>(
        sql`select pg_try_advisory_xact_lock(${KEY_LOCK}) as free`,
      );
      if (rows[0]?.free) await work(transaction);
    });
  }

  /** The published keys, the active one first. */
  read(executor: Database | Transaction = this.database) {
    return executor
      .select()
      .from(signingKeys)
      .where(inArray(signingKeys.state, PUBLISHED))
      .orderBy(...order);
  }

  /** The database's clock, in milliseconds: replicas need not agree on the time. */
  async now(transaction: Transaction): Promise<number> {
    const { rows } = await transaction.execute<{ now: string }>(
      sql`select floor(extract(epoch from clock_timestamp()) * 1000)::text as now`,
    );
    return Number(rows[0]?.now);
  }

  /** Changes whenever `read` would answer another set. */
  async fingerprint(): Promise<string> {
    const rows = await this.database
      .select({ kid: signingKeys.kid, state: signingKeys.state })
      .from(signingKeys)
      .where(inArray(signingKeys.state, PUBLISHED))
      .orderBy(...order);
    return rows.map(({ kid, state }) => `${kid} ${state}`).join();
  }

  /**
   * The published keys with their private parts.
   *
   * @param known keys that need not be decrypted again
   * @throws {KeyEncryptionError} when an envelope cannot be opened
   */
  async open(known: readonly RingKey[]): Promise<RingKey[]> {
    const rows = await this.read();
    return Promise.all(
      rows.map(async ({ envelope, ...row }) => {
        const before = known.find((key) => key.row.kid === row.kid);
        if (before) return { ...before, row };
        const publicKey = createPublicKey({ key: row.publicJwk, format: 'jwk' });
        const secret = await this.encryption.unwrap(row.kid, envelope ?? '');
        const privateJwk = JSON.parse(Buffer.from(secret).toString('utf8')) as JWK;
        const privateKey = createPrivateKey({ key: privateJwk, format: 'jwk' });
        return { row, publicKey, privateKey };
      }),
    );
  }

  async insert(transaction: Transaction, state: KeyState, key: NewSigningKey): Promise<void> {
    const { kid, publicJwk, privateJwk } = key;
    const envelope = await this.encryption.wrap(kid, Buffer.from(JSON.stringify(privateJwk)));
    await transaction.insert(signingKeys).values({
      kid,
      state,
      publicJwk,
      envelope,
      // When it is published, not when the transaction began.
      createdAt: sql`clock_timestamp()`,
      ...(state === 'active' && { activatedAt: sql`clock_timestamp()` }),
    });
    this.logger.log(`Made signing key ${kid}, ${state}`);
  }

  async change(transaction: Transaction, kid: string, to: KeyState): Promise<void> {
    const now = sql`clock_timestamp()`;
    await transaction
      .update(signingKeys)
      .set({
        state: to,
        ...(to === 'active' && { activatedAt: now }),
        ...(to === 'retired' && { retiredAt: now }),
        ...(to === 'removed' && { removedAt: now, envelope: null }),
      })
      .where(eq(signingKeys.kid, kid));
    this.logger.log(`Signing key ${kid} is ${to} now`);
  }

  private async rewrap(transaction: Transaction, kid: string, envelope: string): Promise<void> {
    if (this.encryption.isCurrent(envelope)) return;
    const secret = await this.encryption.unwrap(kid, envelope);
    await transaction
      .update(signingKeys)
      .set({ envelope: await this.encryption.wrap(kid, secret) })
      .where(eq(signingKeys.kid, kid));
    this.logger.log(`Signing key ${kid} is under the new key-encryption key now`);
  }
}
