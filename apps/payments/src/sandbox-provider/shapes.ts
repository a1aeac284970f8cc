import type { NewPayment } from './books.js';

/** A call that does not say what it must. */
export class BadCall extends Error {
  readonly statusCode = 400;
}

type Members = Partial<Record<string, unknown>>;

/** By hand: a schema compiler would be the largest part of the process. */
export function newPayment(body: unknown): NewPayment {
  const { reference, amount, currency, method } = membersOf(body);
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency)) {
    throw new BadCall('currency: expected a code such as EUR');
  }
  return {
    ...{ currency, amount: minorUnits(amount), method: text(method, 'method') },
    reference: text(reference, 'reference'),
  };
}

export function newRefund(body: unknown): { reference: string; amount: number } {
  const { reference, amount } = membersOf(body);
  return { reference: text(reference, 'reference'), amount: minorUnits(amount) };
}

/** @returns undefined for all of it */
export function partOfIt(body: unknown): number | undefined {
  const { amount } = membersOf(body ?? {});
  return amount === undefined ? undefined : minorUnits(amount);
}

function membersOf(body: unknown): Members {
  if (typeof body === 'object' && body !== null) return body;
  throw new BadCall('expected an object');
}

function text(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= 200) return value;
  throw new BadCall(`${name}: expected 1 to 200 characters`);
}

function minorUnits(value: unknown): number {
  if (Number.isSafeInteger(value) && Number(value) > 0) return Number(value);
  throw new BadCall('amount: expected a whole number of minor units, more than 0');
}
