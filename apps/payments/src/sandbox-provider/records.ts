/** A payment as the provider keeps it, named after what each step is called on a card. */
export interface SandboxPayment {
  id: string;
  /** The caller's own id of it. */
  reference: string;
  /** Minor units. */
  amount: number;
  currency: string;
  method: string;
  status: 'processing' | 'authorized' | 'captured' | 'canceled' | 'declined';
  capturedAmount: number;
  /** What was refunded or is being refunded. */
  refundedAmount: number;
  /** Why it was declined. */
  reason?: string;
  /** When a review ends, in milliseconds since the epoch. */
  settlesAt?: number;
}

export interface SandboxRefund {
  id: string;
  payment: string;
  reference: string;
  amount: number;
  currency: string;
  status: 'pending' | 'succeeded' | 'failed';
  reason?: string;
  settlesAt?: number;
}

/** What happened to money, for tests to add up. */
export interface LedgerEntry {
  at: string;
  kind: 'authorized' | 'declined' | 'captured' | 'canceled' | 'refunded' | 'refund_failed';
  payment: string;
  reference: string;
  amount: number;
  currency: string;
}

export interface SandboxEvent {
  id: string;
  /** Such as `payment.captured`. */
  type: string;
  createdAt: string;
  payment: SandboxPayment;
  refund?: SandboxRefund;
}

/** A call that had an effect, under its idempotency key, and what it was answered. */
export interface AnsweredCall {
  key: string;
  /** What was asked: another call under the same key is refused. */
  fingerprint: string;
  status: number;
  body: unknown;
  payment?: string;
  refund?: string;
}

/** Everything that one step changes, written as one line. */
export interface Change {
  payment?: SandboxPayment;
  refund?: SandboxRefund;
  call?: AnsweredCall;
  entry?: LedgerEntry;
  event?: SandboxEvent;
  /** Id of an event that arrived. */
  delivered?: string;
}
