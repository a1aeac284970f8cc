/**
 * Decodes base64url as RFC 7515 section 2 writes it, and only that: no padding, no white space, no
 * characters of the other alphabet, and no stray bits at the end. Decoders that let those pass give
 * one token several spellings, and a cache or a revocation list several names for it.
 *
 * @returns undefined when the text is not the canonical spelling of any bytes
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  // Node's decoder skips what it does not like; its encoder writes the canonical spelling.
  return bytes.length > 0 && bytes.toString('base64url') === text ? bytes : undefined;
}
