const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** RFC 8252 section 7.1: a reverse domain name, so that it is somebody's. */
const PRIVATE_USE_SCHEME = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/;

/** A page of a client on the web: https, or http on the machine itself. */
export function isWebUri(text: string): boolean {
  const url = parse(text);
  if (!url) return false;
  return url.protocol === 'https:' || isLoopback(url);
}

/** Where a client on a device can be called back: also `com.example.app:/callback`. */
export function isNativeUri(text: string): boolean {
  const url = parse(text);
  if (!url) return false;
  if (url.protocol === 'https:') return !LOOPBACK.has(url.hostname);
  return isLoopback(url) || PRIVATE_USE_SCHEME.test(url.protocol);
}

function isLoopback(url: URL): boolean {
  return url.protocol === 'http:' && LOOPBACK.has(url.hostname);
}

/** Compared character by character later, so only what has one spelling and no pattern in it. */
function parse(text: string): URL | undefined {
  if (!URL.canParse(text) || !/^[\x21-\x7e]+$/.test(text) || /[*#\\]/.test(text)) return undefined;
  const url = new URL(text);
  return url.username === '' && url.password === '' ? url : undefined;
}
