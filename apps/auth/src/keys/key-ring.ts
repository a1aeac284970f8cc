import { Inject, Injectable, Logger } from '@nestjs/common';
import { KeysUnavailableError } from '@signet/auth-guard';
import type { KeySource } from '@signet/auth-guard';
import { ConfigError, loggable } from '@signet/http';
import type { KeyObject } from 'node:crypto';
import { KeyEncryptionError } from './key-encryption.js';
import { KeyStore } from './key-store.js';
import type { KeyRow } from './key-store.js';

/** A published key, with its private part. */
export interface RingKey {
  row: KeyRow;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

/** How often this replica looks for what others have changed. */
const LOOK_MS = 1_000;

/** A key set that was not looked at for longer must not be kept by anyone. */
export const CURRENT_MS = 5_000;

/** Who has not looked for longer must not sign: the key may be withdrawn, or removed soon. */
export const MAY_SIGN_MS = 60_000;

/** The signing keys, as the database has them, ready to sign. */
@Injectable()
export class KeyRing implements KeySource {
  private readonly logger = new Logger(KeyRing.name);
  private readonly listeners: (() => void)[] = [];
  private keys: readonly RingKey[] = [];
  private opened: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private isClosed = false;
  /** When the keys at hand were last known to be those in the database. */
  private seenAt = -Infinity;

  constructor(@Inject(KeyStore) private readonly store: KeyStore) {}

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

  isReady(): boolean {
    return this.maySign();
  }

  /**
   * The public key that tokens with this `kid` are verified with.
   *
   * @throws {KeysUnavailableError} when nobody looked for so long that it may have been withdrawn
   */
  getKey(kid: string): KeyObject | undefined {
    if (!this.maySign()) throw new KeysUnavailableError(LOOK_MS / 1000);
    return this.keys.find(({ row }) => row.kid === kid)?.publicKey;
  }

  /** The published keys, the active one first. */
  published(): readonly RingKey[] {
    return this.keys;
  }

  /** Whether the published keys may be kept by who asks for them. */
  isCurrent(): boolean {
    return performance.now() - this.seenAt <= CURRENT_MS;
  }

  maySign(): boolean {
    return performance.now() - this.seenAt <= MAY_SIGN_MS;
  }

  /** Calls `listener` whenever the published keys have changed. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Takes up what this or another replica has changed in the database. */
  async reload(): Promise<void> {
    try {
      await this.look();
    } catch (error) {
      this.logger.error(`The signing keys could not be reloaded: ${loggable(error)}`);
    }
  }

  /** Before the pool closes, which waits for `onApplicationShutdown`. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.looking;
  }

  private async open(): Promise<void> {
    try {
      await this.store.prepare();
      await this.look();
    } catch (error) {
      if (error instanceof KeyEncryptionError) throw new ConfigError(error.message);
      throw error;
    }
    this.keepLooking();
  }

  private keepLooking(): void {
    if (this.isClosed) return;
    const look = () => (this.looking = this.reload().finally(() => this.keepLooking()));
    this.timer = setTimeout(() => void look(), LOOK_MS).unref();
  }

  private async look(): Promise<void> {
    const at = performance.now();
    const seen = await this.store.fingerprint();
    if (seen !== fingerprint(this.keys)) {
      this.keys = await this.store.open(this.keys);
      for (const listener of this.listeners) listener();
    }
    this.seenAt = at;
  }
}

function fingerprint(keys: readonly RingKey[]): string {
  return keys.map(({ row }) => `${row.kid} ${row.state}`).join();
}
