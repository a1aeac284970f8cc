/** What the audit log of this service speaks of. What orders do to stock is in the ledger alone. */
export const AUDIT_ACTIONS = ['product.created', 'product.changed', 'stock.adjusted'] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];
