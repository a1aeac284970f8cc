import { plainText } from './text.js';

/**
 * A provider's token of a means of payment. What looks like a card number is refused before it is
 * stored or sent anywhere: holding one would put the whole system under PCI DSS.
 */
export const paymentMethod = plainText(200)
  .refine((text) => !looksLikeCardNumber(text), {
    error: 'expected the payment provider’s token, not a card number',
    abort: true,
  })
  .meta({ example: 'tok_ok' });

/** 13 to 19 digits, however they are grouped, whose check digit is right (ISO/IEC 7812-1 annex B). */
function looksLikeCardNumber(text: string): boolean {
  const digits = text.replaceAll(/[\s.-]/g, '');
  if (!/^\d{13,19}$/.test(digits)) return false;
  const sum = Array.from(digits)
    .reverse()
    .map((digit, place) => Number(digit) * (place % 2 === 1 ? 2 : 1))
    .reduce((total, value) => total + (value > 9 ? value - 9 : value), 0);
  return sum % 10 === 0;
}
