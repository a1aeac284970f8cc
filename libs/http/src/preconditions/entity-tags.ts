import { HttpStatus } from '@nestjs/common';
import { Problem } from '../problem.js';

/** What an If-Match or If-None-Match header lists: any version, or these. */
export type VersionList = '*' | readonly number[];

/** Far more than a client can have read; what is longer is no honest header. */
const MOST_CHARACTERS = 1000;

/** RFC 9110 section 8.8.3, between the commas of section 5.6.1, of which some may be superfluous. */
const ENTITY_TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/;
const LIST = new RegExp(
  `^[ \\t,]*${ENTITY_TAG.source}([ \\t]*,([ \\t]*${ENTITY_TAG.source})?)*[ \\t]*$`,
);

/**
 * The strong entity tag of a version: `"7"`. Two answers with one tag must be the same octet for octet
 * (RFC 9110 section 8.8.1), so the version has to change with everything that the answer shows.
 */
export function entityTag(version: number): string {
  return `"${version}"`;
}

/**
 * Reads an `If-Match`, by strong comparison (RFC 9110 section 13.1.1): a weak tag matches nothing, nor
 * does one that no service of ours gave out.
 *
 * @throws {Problem} 400 `invalid_if_match` when it is neither `*` nor a list of entity tags
 */
export function parseIfMatch(header: string): VersionList {
  return parse('If-Match', header, ({ weak }) => !weak);
}

/**
 * Reads an `If-None-Match`, by weak comparison (RFC 9110 section 13.1.2): proxies that compress an
 * answer make its tag weak.
 *
 * @throws {Problem} 400 `invalid_if_none_match` when it is neither `*` nor a list of entity tags
 */
export function parseIfNoneMatch(header: string): VersionList {
  return parse('If-None-Match', header, () => true);
}

export function includesVersion(list: VersionList, version: number): boolean {
  return list === '*' || list.includes(version);
}

/**
 * Refuses a change of what is not in a version that the caller accepts. Call it under the lock that
 * the change is made under, or put the version into the UPDATE's condition: a check before it lets two
 * writers pass.
 *
 * @param ifMatch what `@IfMatch()` gave; undefined accepts every version
 * @param version that the thing has now
 * @throws {Problem} 412 `precondition_failed`
 */
export function assertMatches(ifMatch: VersionList | undefined, version: number): void {
  if (ifMatch === undefined || includesVersion(ifMatch, version)) return;
  throw new Problem({
    status: HttpStatus.PRECONDITION_FAILED,
    code: 'precondition_failed',
    detail: 'It was changed since you read it. Read it again and decide anew.',
  });
}

interface EntityTag {
  weak: boolean;
  opaque: string;
}

function parse(name: string, header: string, counts: (tag: EntityTag) => boolean): VersionList {
  if (header.trim() === '*') return '*';
  if (header.length > MOST_CHARACTERS || !LIST.test(header)) throw malformed(name);
  return [...header.matchAll(new RegExp(ENTITY_TAG, 'g'))]
    .map(([, weak, opaque = '']) => ({ weak: weak !== undefined, opaque }))
    .filter((tag) => counts(tag) && /^(0|[1-9]\d{0,14})$/.test(tag.opaque))
    .map(({ opaque }) => Number(opaque));
}

function malformed(name: string): Problem {
  return new Problem({
    status: HttpStatus.BAD_REQUEST,
    code: `invalid_${name.toLowerCase().replaceAll('-', '_')}`,
    detail: `${name}: expected * or a list of entity tags such as "7", at most ${MOST_CHARACTERS} characters.`,
  });
}
