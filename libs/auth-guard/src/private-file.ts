import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Neither led elsewhere by a link nor held up by a pipe. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Reads a file that nobody else can have written.
 *
 * @returns undefined when there is none
 * @throws {Error} when there is one that must not be used; the message says why
 */
export async function readPrivateFile(path: string, maxBytes: number): Promise<Buffer | undefined> {
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
    if (size > maxBytes) throw new Error('it is too large');
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/**
 * Replaces a file in one step: a reader finds the old content or the new one, never half of it.
 *
 * @returns the new file, open for writing behind what it has
 */
export async function replacePrivateFile(
  path: string,
  content: string | Buffer,
): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  let file: FileHandle | undefined;
  try {
    file = await open(draft, 'wx', 0o600);
    await file.writeFile(content);
    await file.sync();
    await rename(draft, path);
    return file;
  } catch (error) {
    await file?.close();
    await rm(draft, { force: true });
    throw error;
  }
}
