import type { Books } from './books.js';
import type { LedgerEntry, SandboxPayment, SandboxRefund } from './records.js';

/** What `GET /ledger` answers: everything that happened, and what it adds up to. */
export interface Ledger {
  payments: SandboxPayment[];
  refunds: SandboxRefund[];
  entries: LedgerEntry[];
  /** Minor units by currency. */
  captured: Record<string, number>;
  refunded: Record<string, number>;
}

export function ledgerOf({
  payments,
  refunds,
  entries,
}: Pick<Books, 'payments' | 'refunds' | 'entries'>): Ledger {
  return {
    payments: [...payments.values()],
    refunds: [...refunds.values()],
    entries,
    captured: totals(entries, 'captured'),
    refunded: totals(entries, 'refunded'),
  };
}

function totals(entries: LedgerEntry[], wanted: LedgerEntry['kind']): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { kind, currency, amount } of entries) {
    if (kind === wanted) sums[currency] = (sums[currency] ?? 0) + amount;
  }
  return sums;
}
