import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { install, installedVersion, pack } from './pack.ts';
import type { Packed } from './pack.ts';

let directory: string;
let packed: Packed;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'signet-package-'));
  packed = pack(directory);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (cwd: string, ...words: string[]) =>
  spawnSync(process.execPath, words, { cwd, encoding: 'utf8', timeout: 60_000 });

describe('the package', () => {
  it('holds what it runs on, its documents, and no tests', () => {
    const others = packed.files.filter((file) => !/^dist\/.+\.(?:js|d\.ts|js\.map)$/.test(file));
    const reference = ['README', 'index', 'prometheus', 'testing'];
    const documents = ['LICENSE', 'README.md', ...reference.map((name) => `docs/api/${name}.md`)];
    expect(others.sort()).toEqual([...documents, 'package.json'].sort());
    expect(packed.files).toContain('dist/index.js');
    expect(packed.files.filter((file) => /spec|conformance|package-test/.test(file))).toEqual([]);
  });

  // That each has a docstring is seen to by TypeDoc, which packs nothing otherwise.
  it.each([
    ['index', 'index'],
    ['testing', 'testing/index'],
    ['prometheus', 'prometheus/index'],
  ])('has a reference of all that %s exports', (reference, module) => {
    const read = (file: string) => readFileSync(join(packed.source, file), 'utf8');
    // Markdown's own underscores have a backslash before them.
    const written = read(`docs/api/${reference}.md`).replaceAll('\\_', '_');
    const headings = written.match(/(?<=^### )\w+/gm) ?? [];
    const declared = /^export (?:type )?\{([^}]+)\}|^export declare \w+ (\w+)/gm;
    const names = [...read(`dist/${module}.d.ts`).matchAll(declared)].flatMap(
      ([, list, name = '']) => (list ?? name).match(/\w+/g) ?? [],
    );
    expect(names).not.toEqual([]);
    expect(new Set(headings)).toEqual(new Set(names));
  });

  it('has nothing that publint objects to', async () => {
    const { messages, pkg } = await publint({
      pack: { tarball: readFileSync(packed.tarball).buffer },
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('has types that resolve as the code does, wherever its exports are read', () => {
    const { stdout } = run(__dirname, 'types-problems.mjs', packed.tarball);
    const problems = JSON.parse(stdout) as { kind: string; resolutionKind?: string }[];
    // ES modules only, as Nest 12 is (docs/decisions/the-guard-is-an-es-module.md): TypeScript's rules
    // for Node 10 know no exports, and before Node 22.12 a CommonJS module could not require this.
    const accepted = ({ kind, resolutionKind }: (typeof problems)[number]) =>
      (kind === 'NoResolution' && resolutionKind === 'node10') ||
      (kind === 'CJSResolvesToESM' && resolutionKind === 'node16-cjs');
    expect(problems.filter((problem) => !accepted(problem))).toEqual([]);
  });
});

describe.each([12, 11])('in an application on Nest %d', (nest) => {
  let application: string;

  beforeAll(() => {
    application = join(directory, `nest-${nest}`);
    mkdirSync(application);
    install(application, packed.tarball, nest);
  });

  it('is installed beside that Nest, and brings no other', () => {
    expect(installedVersion(application, '@nestjs/core')).toMatch(new RegExp(`^${nest}\\.`));
    const { stdout } = spawnSync('npm', ['ls', '--all', '@nestjs/core', '@nestjs/common'], {
      cwd: application,
      encoding: 'utf8',
    });
    expect(stdout).not.toMatch(/invalid|UNMET/);
  });

  it.each(['application.mjs', 'application.cjs'])(
    'guards Express and Fastify alike when it is loaded by %s',
    (file) => {
      const { stdout, stderr } = run(application, file);
      const guarded = {
        routes: ['GET /orders', 'GET /.well-known/oauth-protected-resource'],
        metadata: 200,
        withoutToken: 401,
        withRole: 200,
        withoutRole: 403,
        type: 'application/problem+json',
        warnings: [],
      };
      // Nest 11 knows of no other JSON on Express.
      const express = nest === 11 ? { ...guarded, type: 'application/json' } : guarded;
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual({ express, fastify: guarded });
    },
  );

  it('guards gateways, GraphQL and messages', () => {
    const { stdout, stderr } = run(application, 'calls.cjs');
    expect(stderr).toBe('');
    const guarded = {
      withoutToken: 'token_missing',
      withRole: 'refunded',
      withoutRole: 'insufficient_scope',
    };
    expect(JSON.parse(stdout)).toEqual({
      routes: ['SOCKET refund', 'MESSAGE refund', 'QUERY refund'],
      gateway: guarded,
      graphql: guarded,
      message: guarded,
    });
  });

  it.each([
    ['an ES module by the rules of Node', 'types.mts --module node16'],
    [
      'an ES module by the rules of bundlers',
      'types.mts --module esnext --moduleResolution bundler',
    ],
    ['a CommonJS module', 'types.cts --module nodenext'],
  ])('is typed for %s', (_what, words) => {
    const { stdout } = run(
      application,
      require.resolve('typescript/bin/tsc'),
      ...['--noEmit', '--strict', '--skipLibCheck', '--types', 'node', '--target', 'es2023'],
      ...['--experimentalDecorators', '--emitDecoratorMetadata'],
      ...words.split(' '),
    );
    expect(stdout).toBe('');
  });
});
