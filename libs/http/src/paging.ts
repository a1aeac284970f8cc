import { HttpStatus } from '@nestjs/common';
import { z } from 'zod';
import { Problem } from './problem.js';

/** A whole number in a query, where everything is text. A name that comes twice is no number. */
export function wholeNumber(min: number, max: number) {
  const error = `expected one whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int().min(min).max(max);
}

/** Query members of every list. Spread into the list's own schema. */
export const pageQuery = {
  limit: wholeNumber(1, 100).default(20),
  cursor: z.string().max(500).optional().describe('nextCursor of the previous page'),
};

/** The body of a list: `nextCursor` is null on the last page. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/**
 * Cuts a page out of `rows`, which were read with one row more than `limit`.
 *
 * @param position the values of the row that the list is ordered by, down to a unique one
 */
export function toPage<Row>(
  rows: Row[],
  limit: number,
  position: (row: Row) => (string | number)[],
): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, nextCursor: more ? encodeCursor(position(last)) : null };
}

/**
 * Reads the position that a cursor stands for.
 *
 * @throws {Problem} 400 `invalid_cursor` when it is not one that this list gave out
 */
export function decodeCursor<Position extends z.ZodTuple>(
  cursor: string | undefined,
  position: Position,
): z.infer<Position> | undefined {
  if (cursor === undefined) return undefined;
  try {
    return position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new Problem({
      status: HttpStatus.BAD_REQUEST,
      code: 'invalid_cursor',
      detail: 'cursor: expected the nextCursor of an earlier page of this list.',
    });
  }
}

function encodeCursor(position: (string | number)[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}
