/**
 * Preloaded into every service (`node --import`): takes a quarter off the time that it needs to
 * boot. For each import Node looks up the nearest package.json, and reads drizzle-orm's 180 KB of
 * export map again for every one of its 300 files. Between those files an import means what it
 * says, and needs no map.
 */
import { registerHooks } from 'node:module';
import { URL } from 'node:url';

registerHooks({
  resolve(specifier, context, next) {
    const importer = context.parentURL;
    if (!specifier.startsWith('.') || !importer?.includes('/node_modules/drizzle-orm/')) {
      return next(specifier, context);
    }
    if (!importer.endsWith('.js') || !specifier.endsWith('.js')) return next(specifier, context);
    return { url: new URL(specifier, importer).href, format: 'module', shortCircuit: true };
  },
});
