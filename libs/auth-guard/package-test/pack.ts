import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const packageDir = join(__dirname, '..');
const root = join(packageDir, '../..');

export interface Packed {
  tarball: string;
  /** The directory that was packed, with what the release made in it. */
  source: string;
  /** What is in it. */
  files: string[];
}

/**
 * Runs `npm pack` as for a release, in a copy of the package: packing builds from nothing, and others may
 * be using what is built here.
 */
export function pack(directory: string): Packed {
  const copy = join(directory, 'libs/auth-guard');
  mkdirSync(copy, { recursive: true });
  cpSync(packageDir, copy, {
    recursive: true,
    filter: (path) =>
      !['dist', 'docs', 'node_modules', 'package-test'].some((name) => path.endsWith(`/${name}`)),
  });
  cpSync(join(root, 'tsconfig.base.json'), join(directory, 'tsconfig.base.json'));
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  const output = npm(copy, 'pack', '--json', '--pack-destination', directory);
  // What the build prints comes first.
  const [packed] = JSON.parse(output.slice(output.indexOf('[\n'))) as [
    { filename: string; files: { path: string }[] },
  ];
  return {
    tarball: join(directory, packed.filename),
    source: copy,
    files: packed.files.map(({ path }) => path),
  };
}

/** Packages that have the number of the framework. */
const NEST = [
  ...['common', 'core', 'platform-express', 'platform-fastify'],
  ...['websockets', 'platform-ws', 'microservices'],
];

/** Packages that are two ahead of it. */
const GRAPHQL = ['graphql', 'mercurius'];

/** An application of its own with the packed guard, on a major version of Nest. */
export function install(directory: string, tarball: string, nest: number): void {
  cpSync(join(__dirname, 'consumer'), directory, { recursive: true });
  const packages = NEST.map((name) => `@nestjs/${name}@${nest}`);
  const graphql = GRAPHQL.map((name) => `@nestjs/${name}@${nest + 2}`);
  npm(directory, 'init', '--yes');
  npm(
    directory,
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    ...packages,
    ...graphql,
    ...['graphql@16', 'mercurius@16', 'ws@8'],
    'reflect-metadata@0.2',
    'rxjs@7',
    '@types/node@24',
    tarball,
  );
}

/** The version of a package that an application has. */
export function installedVersion(directory: string, name: string): string {
  const file = join(directory, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function npm(cwd: string, ...words: string[]): string {
  return execFileSync('npm', words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
