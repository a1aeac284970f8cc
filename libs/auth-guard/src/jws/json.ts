import { isUtf8 } from 'node:buffer';

/** What JSON calls an object; frozen all the way down where the guard hands it out. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Deeper nesting than any real claim has; what it stops is a stack that grows with the input. */
const MAX_DEPTH = 16;

const QUOTE = 0x22;

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
  const value = parse(text);
  if (!isObject(value) || Array.isArray(value)) return undefined;
  const strings = freezeDeep(value, MAX_DEPTH);
  if (strings === undefined) return undefined;
  // JSON.parse keeps the last of several members of one name. The names of the others are then among
  // the strings of the text and not among those of what was read.
  return strings === countStrings(text, bytes) ? (value as JsonObject) : undefined;
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
function countStrings(text: string, bytes: Buffer): number {
  // A quote inside of a string has a backslash before it.
  const plain = text.includes('\\') ? Buffer.from(text.replaceAll(/\\./gs, '')) : bytes;
  const { length } = plain;
  let quotes = 0;
  // Added, not branched upon: a processor cannot guess where the quotes are, and each wrong guess costs
  // more than ten additions.
  for (let i = 0; i < length; i++) quotes += Number(plain[i] === QUOTE);
  return quotes / 2;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
