/** How clients address a service: an origin, and what stands before the path that the service sees. */
export interface PublicUrl {
  readonly origin: string;
  /** Without a slash at its end. */
  readonly prefix: string;
}

/** @returns undefined for what is no URL of a service */
export function publicUrl(text: string): PublicUrl | undefined {
  const url = parse(text);
  if (!url || url.search || url.hash) return undefined;
  return { origin: url.origin, prefix: normalPath(url.pathname).replace(/\/+$/, '') };
}

/**
 * Whether a proof that names `htu` was made for a request with this target (RFC 9449 section 4.3,
 * check 9): the same scheme, authority and path after the normalizations of RFC 3986 section 6.2.2 and
 * 6.2.3, whatever the query.
 *
 * @param target the request target in origin form, such as `/orders?limit=10`
 */
export function isMadeFor(htu: string, target: string, publicUrls: readonly PublicUrl[]): boolean {
  const named = parse(htu);
  // Resolved as a path even when it begins with two slashes, which would name another host.
  const asked = target.startsWith('/') ? parse(`http://target${target}`) : undefined;
  if (!named || !asked) return false;
  const path = normalPath(asked.pathname);
  return publicUrls.some(
    ({ origin, prefix }) =>
      named.origin === origin && normalPath(named.pathname) === `${prefix}${path}`,
  );
}

function parse(text: string): URL | undefined {
  // The parser forgives white space and backslashes; a proof has no need to be forgiven.
  if (/[\s\\]/.test(text)) return undefined;
  const url = URL.parse(text);
  if (!url || !['https:', 'http:'].includes(url.protocol)) return undefined;
  return url.username || url.password ? undefined : url;
}

/** What the URL parser leaves of RFC 3986 section 6.2.2: the spelling of percent-encoded octets. */
function normalPath(path: string): string {
  return path.replaceAll(/%[0-9a-f]{2}/gi, (octet) => {
    const character = String.fromCharCode(parseInt(octet.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : octet.toUpperCase();
  });
}
