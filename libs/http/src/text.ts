import { z } from 'zod';

/** Text that a person wrote: trimmed, not empty, and without control characters, which PostgreSQL (NUL)
 * and logs (the others) cannot hold. Line breaks and tabs are allowed. */
export function plainText(maximum: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(maximum)
    .regex(/^(?:[^\p{Cc}\p{Cs}]|[\t\n\r])*$/u, 'expected no control characters');
}
