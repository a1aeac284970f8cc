import { ENDINGS } from '../sessions/endings.js';

/** Why tokens are void before their time: every ending of a session, and what is none. */
export const REVOCATION_CAUSES = [...ENDINGS, 'roles_changed'] as const;

export type RevocationCause = (typeof REVOCATION_CAUSES)[number];
