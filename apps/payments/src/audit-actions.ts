/** What is worth an entry: money that goes back, and money that should have and did not. */
export const AUDIT_ACTIONS = [
  'refund.requested',
  /** Made at the provider: who made it, only the provider knows. */
  'refund.found',
  'refund.failed',
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];
