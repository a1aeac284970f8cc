/** Why a session ended. */
export const ENDINGS = [
  'logout',
  'logout_all',
  /** Its user ended it from another session. */
  'ended_by_user',
  'password_changed',
  'ended_by_admin',
  'account_disabled',
  /** A token that had been exchanged before came again: one of its two holders stole it. */
  'token_reuse',
  'client_disabled',
  /** The engine revoked the grant for another reason. */
  'revoked',
  'expired',
] as const;

export type Ending = (typeof ENDINGS)[number];

/** Endings that nobody but the session's user brings about. */
export const BY_ITS_USER: ReadonlySet<Ending> = new Set(['logout', 'logout_all', 'ended_by_user']);

/** Endings that a client brings about by itself, or would not hear of because it has been disabled. */
export const KNOWN_TO_THE_CLIENT: ReadonlySet<Ending> = new Set(['revoked', 'client_disabled']);
