import { HttpStatus } from '@nestjs/common';
import { Problem } from '../problem.js';

/** Far more than any body of ours has, and far less than what recursive code dies of. */
const DEEPEST = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** 400 `json_too_deep` for JSON, not parsed yet, that is nested deeper than 32 arrays and objects. */
export function whyTooDeep(text: string): Problem | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (isOpening(code) && ++depth > DEEPEST) return tooDeep();
    else if (isClosing(code)) depth--;
  }
  return undefined;
}

/** What a parser refuses that knows `__proto__`: said to be no JSON only where it is none. */
export function whyRefused(text: string, error: Error): Error {
  try {
    JSON.parse(text);
  } catch {
    return error;
  }
  return new Problem({
    status: HttpStatus.BAD_REQUEST,
    code: 'json_member_refused',
    detail: 'The body has a member __proto__, or prototype in a constructor: neither is accepted.',
  });
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) {
    at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  }
  return at;
}

/** `[` or `{`, which differ in one bit as `]` and `}` do. */
function isOpening(code: number): boolean {
  return (code & ~0x20) === 0x5b;
}

function isClosing(code: number): boolean {
  return (code & ~0x20) === 0x5d;
}

function tooDeep(): Problem {
  return new Problem({
    status: HttpStatus.BAD_REQUEST,
    code: 'json_too_deep',
    detail: `The body is nested deeper than ${DEEPEST} arrays and objects.`,
  });
}
