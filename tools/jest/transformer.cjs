/**
 * Turns everything Jest loads into CommonJS with swc, packages included: Jest's own module system
 * cannot load every mix of ES modules, and Nest 12, oidc-provider and jose are ES modules.
 * CommonJS packages pass through untouched.
 */
const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { createTransformer } = require('@swc/jest');

const module_ = { type: 'commonjs' };
const typescript = createTransformer({
  module: module_,
  sourceMaps: 'inline',
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
});
const esModule = createTransformer({
  module: module_,
  sourceMaps: false,
  jsc: { target: 'es2023', parser: { syntax: 'ecmascript' } },
});

function transformerFor(file) {
  if (/\.[mc]?ts$/.test(file)) return typescript;
  if (file.endsWith('.mjs')) return esModule;
  if (file.endsWith('.js') && typeOf(dirname(file)) === 'module') return esModule;
  return undefined;
}

const types = new Map();

/** The `type` of the package that a folder belongs to, as Node reads it. */
function typeOf(folder) {
  const known = types.get(folder);
  if (known) return known;
  let type;
  try {
    type = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).type ?? 'commonjs';
  } catch {
    const parent = dirname(folder);
    type = parent === folder ? 'commonjs' : typeOf(parent);
  }
  types.set(folder, type);
  return type;
}

module.exports = {
  process(source, file, options) {
    return transformerFor(file)?.process(source, file, options) ?? { code: source };
  },
  getCacheKey(source, file, options) {
    return (transformerFor(file) ?? typescript).getCacheKey(source, file, options);
  },
};
