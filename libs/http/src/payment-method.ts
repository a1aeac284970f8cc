import { z } from 'zod';

/** As Stripe (`pm_…`) and the sandbox (`tok_…`) write theirs; a space or a sign may hide a number. */
const TOKEN = /^[A-Za-z][A-Za-z0-9_-]{2,199}$/;

/** Digits with only signs between: letters break a run, so that random ids are hardly ever one. */
const RUN = /\d(?:[^\p{L}\d]*\d){12,}/gu;

/**
 * A provider's token of a means of payment. What has a card number in it is refused before it is
 * stored or sent anywhere: holding one would put the whole system under PCI DSS.
 */
export const paymentMethod = z
  .string()
  .trim()
  .max(200, { abort: true })
  .refine((text) => !hasCardNumber(text), {
    error: 'expected the payment provider’s token, not a card number',
    abort: true,
  })
  .regex(TOKEN, 'expected the payment provider’s token: a letter, then letters, digits, _ and -')
  .meta({ example: 'tok_ok' });

/**
 * 13 to 19 digits in a run whose check digit is right (ISO/IEC 7812-1 annex B). Wherever they begin, so most
 * runs of that length are refused: no provider of ours makes ids with any.
 */
function hasCardNumber(text: string): boolean {
  return (text.match(RUN) ?? []).some((run) => {
    const digits = Array.from(run.replaceAll(/\D/g, ''), Number);
    return digits.some((_first, start) => {
      for (let length = 13; length <= 19 && start + length <= digits.length; length++) {
        if (isChecked(digits.slice(start, start + length))) return true;
      }
      return false;
    });
  });
}

function isChecked(digits: number[]): boolean {
  const sum = digits
    .toReversed()
    .map((digit, place) => digit * (place % 2 === 1 ? 2 : 1))
    .reduce((total, value) => total + (value > 9 ? value - 9 : value), 0);
  return sum % 10 === 0;
}
