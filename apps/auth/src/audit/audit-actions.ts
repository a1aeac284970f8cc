/** What is worth an entry: whatever changes what someone may do, or ends it against their will. */
export const AUDIT_ACTIONS = [
  'user.roles_changed',
  'user.disabled',
  'user.enabled',
  'user.sessions_ended',
  'user.password_changed',
  'session.ended',
  /** A refresh token came again after it was exchanged: one of its two holders stole it. */
  'session.token_reused',
  'client.registered',
  'client.changed',
  'key.activated',
  /** Keys that had signed verify nothing any more. */
  'key.withdrawn',
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];
