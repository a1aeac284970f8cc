/** What a user may be. `customer` is given at registration, everything else by an administrator. */
export const ROLES = ['customer', 'support', 'warehouse', 'admin'] as const;

export type Role = (typeof ROLES)[number];
