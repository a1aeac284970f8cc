import { isUtf8 } from 'node:buffer';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Deeper nesting than any real claim has; what it stops is a stack that grows with the input. */
const MAX_DEPTH = 16;

/**
 * Parses a JSON object so that no two readers can disagree about it: valid UTF-8, each member name
 * once (RFC 7515 section 4 and RFC 7519 section 4 leave duplicates to the parser, and parsers
 * differ), no `__proto__` member, bounded depth. The result is frozen all the way down.
 *
 * @returns undefined when the bytes are anything else
 */
export function parseJsonObject(bytes: Buffer): JsonObject | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8');
  const parsed = parse(text);
  if (!parsed || !isObject(parsed.value) || Array.isArray(parsed.value)) return undefined;
  if (!freezeDeep(parsed.value, MAX_DEPTH)) return undefined;
  // JSON.parse keeps the last of several members of one name. A text that equals the serialization of
  // what was read from it cannot have had any. Others (white space, escapes, 1.0) are legal but rare,
  // and their members are counted.
  const unique = parsed.canonical || countMembers(parsed.value) === countColons(text);
  return unique ? (parsed.value as JsonObject) : undefined;
}

function parse(text: string): { value: unknown; canonical: boolean } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    // Before the value is frozen: V8 serializes frozen objects several times slower.
    return { value, canonical: JSON.stringify(value) === text };
  } catch {
    return undefined;
  }
}

/** Freezes a tree of JSON values; false when it is too deep or has a `__proto__` member. */
function freezeDeep(value: object, depth: number): boolean {
  if (depth === 0) return false;
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) {
      if (isObject(item) && !freezeDeep(item, depth - 1)) return false;
    }
  } else {
    for (const name in value) {
      const member: unknown = value[name as keyof typeof value];
      if (name === '__proto__' || (isObject(member) && !freezeDeep(member, depth - 1))) {
        return false;
      }
    }
  }
  Object.freeze(value);
  return true;
}

function countMembers(value: unknown): number {
  if (!isObject(value)) return 0;
  const members: unknown[] = Object.values(value);
  return members.reduce<number>(
    (sum, member) => sum + countMembers(member),
    Array.isArray(value) ? 0 : members.length,
  );
}

/** In valid JSON, each colon outside of a string belongs to exactly one member. */
function countColons(text: string): number {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
