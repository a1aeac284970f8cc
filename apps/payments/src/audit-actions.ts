/** What is worth an entry: money that goes back, and money that should have and did not. */
export const AUDIT_ACTIONS = ['refund.requested', 'refund.failed'] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];
