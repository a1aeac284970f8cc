import { z } from 'zod';

const MIN_PASSWORD = 12;
const MAX_PASSWORD = 128;

/** An address as accounts have it: in lower case, because nobody means two accounts by two spellings. */
export const email = z.email().max(254).toLowerCase().meta({ example: 'ada@example.com' });

/**
 * A password that may be set, in the form that is hashed. NIST SP 800-63B section 3.1.1.2: length
 * counted in code points, Unicode normalised (NFKC), every character allowed, no rules of composition.
 */
export const password = z
  .string()
  .max(4 * MAX_PASSWORD)
  .normalize('NFKC')
  .refine((text) => inRange(Array.from(text).length), {
    error: `expected ${MIN_PASSWORD} to ${MAX_PASSWORD} characters`,
  })
  .meta({ format: 'password', example: 'correct horse battery staple' });

/** A password as someone claims it: only bounded, for what is wrong about it is not told. */
export const claimedPassword = z
  .string()
  .min(1)
  .max(4 * MAX_PASSWORD)
  .normalize('NFKC')
  .meta({ format: 'password', example: 'correct horse battery staple' });

function inRange(length: number): boolean {
  return length >= MIN_PASSWORD && length <= MAX_PASSWORD;
}
