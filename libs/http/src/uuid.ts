import { z } from 'zod';

/** A UUID that somebody sends, in the one spelling that is compared and written down: lower case. */
export const uuid = z.uuid('expected an id, which is a UUID').toLowerCase();
