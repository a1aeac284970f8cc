import type { KoaContextWithOIDC } from 'oidc-provider';
import { createHash } from 'node:crypto';

/**
 * Middleware of the engine that says how long its key set may be kept, and answers 304 to who has it.
 *
 * @param path of the key set
 * @param maxAge seconds
 * @param isCurrent whether the set is known to be the one in the database; otherwise nobody may keep
 *   it, for it may lack a key that will sign before they ask again
 */
export function cacheKeySet(path: string, maxAge: number, isCurrent: () => boolean) {
  return async (context: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    if (context.path !== path || context.status !== 200) return;
    context.set('Cache-Control', isCurrent() ? `public, max-age=${maxAge}` : 'no-cache');
    const digest = createHash('sha256').update(JSON.stringify(context.body)).digest('base64url');
    context.set('ETag', `"${digest}"`);
    // Not koa's own check, which takes the no-cache of who wants to be sure for a wish to be sent all.
    if (context.get('If-None-Match').includes(`"${digest}"`)) context.status = 304;
  };
}
