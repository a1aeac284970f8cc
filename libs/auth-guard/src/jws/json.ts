import { isUtf8 } from 'node:buffer';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Deeper nesting than any real claim has; what it stops is a stack that grows with the input. */
const MAX_DEPTH = 16;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Parses a JSON object so that no two readers can disagree about it: valid UTF-8, each member name
 * once (RFC 7515 section 4 and RFC 7519 section 4 leave duplicates to the parser, and parsers
 * differ), no `__proto__` member, bounded depth. The result is frozen all the way down.
 *
 * @returns undefined when the bytes are anything else
 */
export function parseJsonObject(bytes: Buffer): JsonObject | undefined {
  if (!isUtf8(bytes)) return undefined;
  const value = parse(bytes.toString('utf8'));
  if (!isObject(value) || Array.isArray(value)) return undefined;
  const strings = freezeDeep(value, MAX_DEPTH);
  // JSON.parse keeps the last of several members of one name. The names of the others are then among
  // the strings of the text and not among those of what was read.
  return strings !== undefined && strings === countStrings(bytes)
    ? (value as JsonObject)
    : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Freezes a tree of JSON values.
 *
 * @returns how many strings it holds, names of members included; undefined when it is too deep or has
 *   a `__proto__` member
 */
function freezeDeep(value: object, depth: number): number | undefined {
  if (depth === 0 || Object.hasOwn(value, '__proto__')) return undefined;
  const members: unknown[] = Array.isArray(value) ? value : Object.values(value);
  let strings = members === value ? 0 : members.length;
  for (const member of members) {
    if (typeof member === 'string') {
      strings += 1;
    } else if (isObject(member)) {
      const inside = freezeDeep(member, depth - 1);
      if (inside === undefined) return undefined;
      strings += inside;
    }
  }
  Object.freeze(value);
  return strings;
}

/** How many strings there are in a valid JSON text: each has a quote at both ends. */
function countStrings(bytes: Buffer): number {
  const { length } = bytes;
  let quotes = 0;
  for (let i = 0; i < length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) quotes += 1;
    else if (byte === BACKSLASH) i += 1;
  }
  return quotes / 2;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
