import { AuthGuardConfigurationError } from '../errors.js';

/** What a service says about itself to clients that do not know it yet (RFC 9728). */
export interface ResourceMetadataOptions {
  /**
   * The service's resource identifier (RFC 9728 section 1.2): the URL under which clients call it, such as
   * `https://api.example.com` or `https://example.com/orders`, without query or fragment. Use `https:`
   * wherever others can listen: a client believes what it reads there.
   */
  resource: string;
  /** `resource_name`: for people who are asked to let a client in. None by default. */
  name?: string;
  /** `resource_documentation`: the address of what a developer should read. None by default. */
  documentation?: string;
  /** `scopes_supported`. By default the scopes that the application's `@Scopes()` name. */
  scopes?: readonly string[];
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/**
 * Where the document is: the well-known path goes between the host and the path of the resource (RFC 9728
 * section 3.1).
 *
 * @throws {AuthGuardConfigurationError}
 */
export function metadataUrl({ resource }: ResourceMetadataOptions): URL {
  const url = URL.parse(resource);
  if (!url || !isResource(url)) {
    throw new AuthGuardConfigurationError(
      'resourceMetadata.resource: expected an http(s): URL of plain characters, without query or fragment.',
    );
  }
  url.pathname = url.pathname === '/' ? WELL_KNOWN : WELL_KNOWN + url.pathname;
  return url;
}

/** The path becomes a route: what a router would take for a parameter or a wildcard is not plain. */
function isResource({ protocol, username, password, search, hash, pathname }: URL): boolean {
  const bare = username === '' && password === '' && search === '' && hash === '';
  return bare && ['https:', 'http:'].includes(protocol) && /^[\w./~-]*$/.test(pathname);
}
