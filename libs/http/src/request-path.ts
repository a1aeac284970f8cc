import type { IncomingMessage } from 'node:http';

/** Paths that a probe or a scraper asks for all day; logging them would bury the rest. */
const PROBE = /^\/(health|metrics)\b/;

/**
 * What may be a token: a JWS in compact form, or text as long as 240 random bits are in base64url. Our
 * identifiers are shorter, but for those of sessions, which the audit log has.
 */
const TOKEN = /(?:[\w-]{8,}\.){2}[\w-]*|[\w-]{40,}/g;

/** Probes, and the keys that many services behind one address may ask for at once. */
const UNLIMITED = /^\/(health\/(live|ready)|\.well-known\/jwks\.json)$/;

/** Whether a path may be asked for however often. */
export function isUnlimited(url: string): boolean {
  return UNLIMITED.test(url);
}

export function isProbe(request: IncomingMessage): boolean {
  return PROBE.test(pathOf(request));
}

/** The path as it may be written down: without the query, and without what may be a token. */
export function loggablePath(request: IncomingMessage): string {
  return pathOf(request).replaceAll(TOKEN, '[redacted]');
}

/** Nest's middleware may have cut `url`. */
function pathOf(request: IncomingMessage & { originalUrl?: string }): string {
  return (request.originalUrl ?? request.url ?? '').split('?', 1)[0] ?? '';
}
