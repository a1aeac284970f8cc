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
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (!freezeDeep(value, MAX_DEPTH)) return undefined;
  return membersAreUnique(value, text) ? (value as JsonObject) : undefined;
}

/** Freezes a tree of JSON values; false when it is too deep or has a `__proto__` member. */
function freezeDeep(value: object, depth: number): boolean {
  if (depth === 0 || Object.hasOwn(value, '__proto__')) return false;
  for (const member of Object.values(value) as unknown[]) {
    if (typeof member === 'object' && member !== null && !freezeDeep(member, depth - 1)) {
      return false;
    }
  }
  Object.freeze(value);
  return true;
}

/**
 * JSON.parse keeps the last of several members of one name. A text that equals the serialization
 * of what was parsed from it cannot have had any; other texts (white space, escapes, numbers as
 * `1.0`) are legal but rare, and their members are counted.
 */
function membersAreUnique(value: object, text: string): boolean {
  return JSON.stringify(value) === text || countMembers(value) === countColons(text);
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
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
