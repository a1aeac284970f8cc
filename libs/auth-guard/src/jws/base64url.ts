const ALPHABET = /^[A-Za-z0-9_-]+$/;

/**
 * Decodes base64url as RFC 7515 section 2 writes it, and only that: no padding, no white space, no
 * characters of the other alphabet, and no stray bits at the end. Decoders that let those pass give
 * one token several spellings, and a cache or a revocation list several names for it.
 *
 * @returns undefined when the text is not the canonical spelling of any bytes
 */
export function decodeBase64url(text: string): Buffer | undefined {
  if (!ALPHABET.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
