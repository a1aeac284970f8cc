import { z } from 'zod';

/**
 * Where a page of a list ordered by creation begins: the moment, and the id among the rows of that
 * moment. Bounded to what a row can have, for a cursor can be made up.
 */
export function position<Id extends z.ZodType<string>>(id: Id) {
  return z.tuple([z.iso.datetime().regex(/^2\d{3}-/), id]);
}
