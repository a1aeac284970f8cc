/**
 * Preloaded (`node --import`) into processes that specs start: runs our sources as they are, without a
 * build that might be an old one.
 */
import { transformSync } from '@swc/core';
import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath, URL } from 'node:url';

const ROOT = new URL('../../../../', import.meta.url);

/** `@signet/http` is `libs/http/src/index.ts`, `@signet/database/schema` its `schema.ts`. */
function sourceOf(specifier) {
  const [, library, part = 'index'] = /^@signet\/([\w-]+)(?:\/([\w-]+))?$/.exec(specifier) ?? [];
  if (library === undefined) return undefined;
  const found = [`${part}.ts`, `${part}/index.ts`]
    .map((file) => new URL(`libs/${library}/src/${file}`, ROOT))
    .find((url) => existsSync(url));
  return found?.href;
}

registerHooks({
  resolve(specifier, context, next) {
    const ours = sourceOf(specifier);
    if (ours) return { url: ours, shortCircuit: true };
    if (specifier.startsWith('.') && context.parentURL?.endsWith('.ts')) {
      const url = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
      if (existsSync(url)) return { url: url.href, shortCircuit: true };
    }
    return next(specifier, context);
  },
  load(url, context, next) {
    if (!url.endsWith('.ts') || url.includes('/node_modules/')) return next(url, context);
    const file = fileURLToPath(url);
    const { code } = transformSync(readFileSync(file, 'utf8'), {
      filename: file,
      module: { type: 'es6' },
      sourceMaps: 'inline',
      jsc: {
        target: 'es2023',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
        keepClassNames: true,
      },
    });
    return { format: 'module', source: code, shortCircuit: true };
  },
});
