import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Migrations {
  folder: string;
  remove(): Promise<void>;
}

/** A folder with one migration, as drizzle-kit would have written it. */
export async function migrationsOf(statements: string): Promise<Migrations> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-migrations-'));
  await mkdir(join(folder, 'meta'));
  const entries = [{ idx: 0, version: '7', when: 1, tag: '0000_first', breakpoints: true }];
  const journal = JSON.stringify({ version: '7', dialect: 'postgresql', entries });
  await writeFile(join(folder, 'meta/_journal.json'), journal);
  await writeFile(join(folder, '0000_first.sql'), statements);
  return { folder, remove: () => rm(folder, { recursive: true }) };
}
