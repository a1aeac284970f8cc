import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { SERVICES } from './services.ts';

/** Nx says nothing before the first project is built; when nothing has changed, it is done by then. */
const UP_TO_DATE_WITHIN_MS = 2_500;

/**
 * Builds the services with Nx, which does nothing when they are up to date.
 *
 * @param root the repository
 * @param onProgress told each project that really had to be built
 * @throws Error with the compiler's output
 */
export async function buildServices(
  root: string,
  onProgress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const projects = SERVICES.map(({ name }) => name).join(',');
  const nx = join(root, 'node_modules/.bin/nx');
  const child = spawn(process.execPath, [nx, 'run-many', '-t', 'build', '-p', projects], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const output: string[] = [];
  const slow = setTimeout(() => onProgress('Building the services…'), UP_TO_DATE_WITHIN_MS);
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => {
      output.push(line);
      const project = builtProject(line);
      if (!project) return;
      clearTimeout(slow);
      onProgress(`Built ${project}.`);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => clearTimeout(slow));
  if (code !== 0) throw new Error(`The services could not be built.\n${output.join('\n').trim()}`);
}

/** Nx ends each task with `nx run auth:build`, and adds where from it restored a known one. */
function builtProject(line: string): string | undefined {
  return /^\S+ +nx run ([\w-]+):build$/.exec(stripVTControlCharacters(line).trim())?.[1];
}
