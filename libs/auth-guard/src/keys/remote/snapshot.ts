import { randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseJsonObject } from '../../jws/json.js';

const FORMAT = 'signet-key-snapshot/1';
const MAX_BYTES = 128 * 1024;

/** Neither led elsewhere by a link nor held up by a pipe. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

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
   * @throws {Error} when there is one that must not be used; the message says why
   */
  async read({ now, maxAge }: { now: number; maxAge: number }): Promise<SavedKeySet | undefined> {
    const bytes = await readPrivateFile(this.path);
    if (bytes === undefined) return undefined;
    const saved = parseJsonObject(bytes);
    if (saved?.format !== FORMAT) throw new Error('it has another format');
    if (saved.issuer !== this.origin.issuer || saved.jwksUri !== this.origin.jwksUri) {
      throw new Error('it holds the keys of another issuer');
    }
    const { fetchedAt, jwks } = saved;
    if (typeof fetchedAt !== 'number' || !(fetchedAt <= now && now - fetchedAt <= maxAge)) {
      throw new Error('it is too old');
    }
    return { fetchedAt, set: jwks };
  }

  /** Replaces the file in one step: a reader finds the old set or the new one, never half of it. */
  async write(keys: ReadonlyMap<string, KeyObject>, fetchedAt: number): Promise<void> {
    const jwks = { keys: [...keys].map(([kid, key]) => toJwk(kid, key)) };
    const text = JSON.stringify({ format: FORMAT, ...this.origin, fetchedAt, jwks });
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const draft = `${this.path}.${randomUUID()}`;
    try {
      const file = await open(draft, 'wx', 0o600);
      await writeAndClose(file, text);
      await rename(draft, this.path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }
}

function toJwk(kid: string, key: KeyObject): object {
  return { ...key.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
}

async function writeAndClose(file: FileHandle, text: string): Promise<void> {
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readPrivateFile(path: string): Promise<Buffer | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, READ_FLAGS);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const stats = await file.stat();
    const { mode, size, uid } = stats;
    const owner = process.getuid?.();
    if (!stats.isFile()) throw new Error('it is not a file');
    if (owner !== undefined && (uid !== owner || (mode & 0o022) !== 0)) {
      throw new Error('others than this process could have written it');
    }
    if (size > MAX_BYTES) throw new Error('it is too large');
    return await file.readFile();
  } finally {
    await file.close();
  }
}
