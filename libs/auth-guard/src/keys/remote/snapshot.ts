import type { KeyObject } from 'node:crypto';
import { parseJsonObject } from '../../jws/json.js';
import { readPrivateFile, replacePrivateFile } from '../../private-file.js';

const FORMAT = 'signet-key-snapshot/1';
const MAX_BYTES = 128 * 1024;

/** Where the keys of a snapshot came from. Another origin's snapshot is not used. */
export interface SnapshotOrigin {
  issuer: string;
  jwksUri: string;
}

export interface SavedKeySet {
  /** Milliseconds since the epoch. */
  fetchedAt: number;
  /** The set, to be checked like one that was fetched. */
  set: unknown;
}

/** What a snapshot comes to be while nothing runs, overnight say. */
export class OldSnapshotError extends Error {
  override readonly name = 'OldSnapshotError';
}

/** The last good key set on disk. Whoever can write the file can put keys in: 0600, and checked. */
export class KeySnapshot {
  constructor(
    private readonly path: string,
    private readonly origin: SnapshotOrigin,
  ) {}

  /**
   * Reads the file, all times in milliseconds.
   *
   * @returns undefined when there is none
   * @throws {OldSnapshotError} when it is older than `maxAge`
   * @throws {Error} when there is one that must not be used; the message says why
   */
  async read({ now, maxAge }: { now: number; maxAge: number }): Promise<SavedKeySet | undefined> {
    const bytes = await readPrivateFile(this.path, MAX_BYTES);
    if (bytes === undefined) return undefined;
    const saved = parseJsonObject(bytes);
    if (saved?.format !== FORMAT) throw new Error('it has another format');
    if (saved.issuer !== this.origin.issuer || saved.jwksUri !== this.origin.jwksUri) {
      throw new Error('it holds the keys of another issuer');
    }
    const { fetchedAt, jwks } = saved;
    if (typeof fetchedAt !== 'number' || fetchedAt > now) {
      throw new Error('it does not say when its keys were fetched');
    }
    if (now - fetchedAt > maxAge) throw new OldSnapshotError('it is too old');
    return { fetchedAt, set: jwks };
  }

  /** Replaces the file in one step: a reader finds the old set or the new one, never half of it. */
  async write(keys: ReadonlyMap<string, KeyObject>, fetchedAt: number): Promise<void> {
    const jwks = { keys: [...keys].map(([kid, key]) => toJwk(kid, key)) };
    const text = JSON.stringify({ format: FORMAT, ...this.origin, fetchedAt, jwks });
    const file = await replacePrivateFile(this.path, text);
    await file.close();
  }
}

function toJwk(kid: string, key: KeyObject): object {
  return { ...key.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
}
