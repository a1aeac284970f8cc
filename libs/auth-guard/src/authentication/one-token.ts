import { AmbiguousRequestError } from '../errors.js';
import type { TokenRequest } from './credentials.js';

const FIELD = 'authorization';

/**
 * Refuses a request with two Authorization headers. Node hands on the first of them and is silent about
 * the other, which may be the one that a proxy in front of it has checked.
 *
 * @throws {AmbiguousRequestError}
 */
export function assertOneHeader({ rawHeaders, raw }: TokenRequest): void {
  const fields = rawHeaders ?? raw?.rawHeaders ?? [];
  let count = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i];
    if (name?.length === FIELD.length && name.toLowerCase() === FIELD) count += 1;
  }
  if (count > 1) throw new AmbiguousRequestError('Send one Authorization header.');
}

/**
 * Refuses a request that brings another token beside the one that was found: RFC 6750 section 2 allows one
 * method of sending it. Alone, a token in the query or in a form is not looked at.
 *
 * @param inCookie whether one lies in the cookie, too
 * @throws {AmbiguousRequestError}
 */
export function assertNoOtherToken(request: TokenRequest, inCookie: boolean): void {
  const place = inCookie ? 'a cookie' : otherPlace(request);
  if (place === undefined) return;
  throw new AmbiguousRequestError(`An access token came by two ways; one of them is ${place}.`);
}

function otherPlace({ url, headers, body }: TokenRequest): string | undefined {
  if (/[?&]access_token=/.test(url)) return 'the query';
  const type = headers['content-type'];
  // RFC 6750 section 2.2: in forms alone. A member of that name in a JSON body is the application's own.
  if (typeof type !== 'string' || !/^application\/x-www-form-urlencoded\b/i.test(type))
    return undefined;
  const isForm = typeof body === 'object' && body !== null;
  return isForm && Object.hasOwn(body, 'access_token') ? 'the form' : undefined;
}
