import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** Encodes a header or claims as one part of a token. Text is taken as JSON that is written already. */
export function encodePart(part: object | string): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

/** Signs header and payload with RS256, whatever the header says. */
export function signJws(header: object | string, payload: object | string, key: KeyObject): string {
  const input = `${encodePart(header)}.${encodePart(payload)}`;
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}
