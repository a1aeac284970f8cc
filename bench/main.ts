import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** What can be measured, and what has to be built before. */
const SUITES: Record<string, { builds: string; load: () => Promise<{ run(): Promise<void> }> }> = {
  guard: { builds: 'auth-guard', load: () => import('./guard/suite.ts') },
  auth: { builds: 'auth', load: () => import('./auth/suite.ts') },
  revocation: { builds: 'auth-guard', load: () => import('./revocation/suite.ts') },
  followers: { builds: 'auth', load: () => import('./followers/suite.ts') },
  checkout: {
    builds: 'auth,inventory,payments,orders',
    load: () => import('./checkout/suite.ts'),
  },
};

const USAGE = `npm run bench -- SUITE\n\nSuites: ${Object.keys(SUITES).join(', ')}`;

process.exitCode = await main(process.argv.slice(2));

async function main(words: string[]): Promise<number> {
  const name = suiteNamed(words);
  if (name === undefined) return 0;
  const suite = SUITES[name];
  if (!suite) return complain(name === '' ? 'Name a suite.' : `There is no suite "${name}".`);
  const root = join(import.meta.dirname, '..');
  const nx = join(root, 'node_modules/.bin/nx');
  const build = spawnSync(process.execPath, [nx, 'run-many', '-t', 'build', '-p', suite.builds], {
    cwd: root,
    encoding: 'utf8',
  });
  if (build.status !== 0) {
    console.error(`${suite.builds} cannot be built.\n${build.stdout}`);
    return 1;
  }
  const loaded = await suite.load();
  await loaded.run();
  return 0;
}

/** Empty when none was named, undefined when only help was asked for. */
function suiteNamed(words: string[]): string | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: words,
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' } },
    });
    if (values.help) console.log(USAGE);
    return values.help ? undefined : positionals.join(' ');
  } catch (error) {
    complain((error as Error).message);
    process.exit(2);
  }
}

function complain(problem: string): number {
  console.error(`${problem}\n\n${USAGE}`);
  return 2;
}
