/** RFC 6749 section 3.3: scope tokens, one space between them. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

const MAX_KNOWN = 64;

/** An issuer writes the same few over and over: each is taken apart once. Lists are frozen, so all may have them. */
const known = new Map<string, readonly string[]>();

/**
 * The names in a `scope` claim.
 *
 * @returns undefined for what is not a scope
 */
export function splitScope(scope: string): readonly string[] | undefined {
  const before = known.get(scope);
  if (before) return before;
  if (!SCOPE.test(scope)) return undefined;
  if (known.size >= MAX_KNOWN) known.clear();
  const names = Object.freeze(scope.split(' '));
  known.set(scope, names);
  return names;
}
