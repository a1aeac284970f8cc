import { Injectable, Logger } from '@nestjs/common';
import type { KeySource } from '@signet/auth-guard';
import { InjectDatabase } from '@signet/database';
import type { Database, Transaction } from '@signet/database';
import { ConfigError } from '@signet/http';
import { inArray, sql } from 'drizzle-orm';
import type { JWK } from 'jose';
import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { signingKeys } from '../schema.js';
import { KeyEncryption, KeyEncryptionError } from './key-encryption.js';
import { KEY_LIFE, KEY_STATES } from './key-states.js';
import type { KeyState } from './key-states.js';
import { generateSigningKey } from './signing-key.js';

/** A published key, with its private part. */
export interface RingKey {
  kid: string;
  state: KeyState;
  privateJwk: JWK;
  publicKey: KeyObject;
}

/** Whoever makes or changes keys holds this advisory lock. */
const KEY_LOCK = 7_461_938_202;

/** How long another replica's change of a key may go unseen here; far below the JWKS max-age. */
const RELOAD_MS = 30_000;

const PUBLISHED = KEY_STATES.filter((state) => KEY_LIFE[state].published);

/** The signing keys, as the database has them, ready to sign. */
@Injectable()
export class KeyRing implements KeySource {
  private readonly logger = new Logger(KeyRing.name);
  private readonly listeners: (() => void)[] = [];
  private keys: readonly RingKey[] = [];
  private opened: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly encryption: KeyEncryption,
  ) {}

  /**
   * Makes the first keys if there are none, and decrypts those there are. Once, however often it is
   * called.
   *
   * @throws {ConfigError} when the key-encryption key does not open them
   */
  start(): Promise<void> {
    this.opened ??= this.open();
    return this.opened;
  }

  /** The public key that tokens with this `kid` are verified with. */
  getKey(kid: string): KeyObject | undefined {
    return this.keys.find((key) => key.kid === kid)?.publicKey;
  }

  /** The published keys, the active one first. */
  published(): readonly RingKey[] {
    return this.keys;
  }

  /** Calls `listener` whenever the published keys have changed. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Takes up what this or another replica has changed in the database. */
  async reload(): Promise<void> {
    try {
      const keys = await this.read();
      if (fingerprint(keys) === fingerprint(this.keys)) return;
      this.keys = keys;
      for (const listener of this.listeners) listener();
    } catch (error) {
      this.logger.error(`The signing keys could not be reloaded: ${String(error)}`);
    }
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async open(): Promise<void> {
    await this.database.transaction(async (transaction) => {
      await transaction.execute(sql`select pg_advisory_xact_lock(${KEY_LOCK})`);
      const states = await transaction.select({ state: signingKeys.state }).from(signingKeys);
      // The very first key signs at once: no verifier has a key set yet that could lack it.
      for (const state of ['active', 'next'] as const) {
        if (!states.some((key) => key.state === state)) await this.make(transaction, state);
      }
    });
    try {
      this.keys = await this.read();
    } catch (error) {
      if (error instanceof KeyEncryptionError) throw new ConfigError(error.message);
      throw error;
    }
    this.timer = setInterval(() => void this.reload(), RELOAD_MS).unref();
  }

  private async make(transaction: Transaction, state: 'active' | 'next'): Promise<void> {
    const { kid, publicJwk, privateJwk } = await generateSigningKey();
    const envelope = await this.encryption.wrap(kid, Buffer.from(JSON.stringify(privateJwk)));
    const activatedAt = state === 'active' ? new Date() : null;
    await transaction.insert(signingKeys).values({ kid, state, publicJwk, envelope, activatedAt });
    this.logger.log(`Made signing key ${kid}, ${state}`);
  }

  private async read(): Promise<RingKey[]> {
    const rows = await this.database
      .select()
      .from(signingKeys)
      .where(inArray(signingKeys.state, PUBLISHED))
      .orderBy(sql`${signingKeys.state} <> 'active'`, signingKeys.createdAt);
    return Promise.all(rows.map((row) => this.toRingKey(row)));
  }

  private async toRingKey(row: typeof signingKeys.$inferSelect): Promise<RingKey> {
    const { kid, state, publicJwk, envelope } = row;
    const known = this.keys.find((key) => key.kid === kid);
    if (known) return { ...known, state };
    const publicKey = createPublicKey({ key: publicJwk, format: 'jwk' });
    return { kid, state, publicKey, privateJwk: await this.decrypt(kid, envelope ?? '') };
  }

  private async decrypt(kid: string, envelope: string): Promise<JWK> {
    const secret = await this.encryption.unwrap(kid, envelope);
    return JSON.parse(Buffer.from(secret).toString('utf8')) as JWK;
  }
}

function fingerprint(keys: readonly RingKey[]): string {
  return keys.map(({ kid, state }) => `${kid} ${state}`).join();
}
