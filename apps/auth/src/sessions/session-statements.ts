import { sql } from 'drizzle-orm';
import type { SQL, SQLWrapper } from 'drizzle-orm';
import type { Role } from '../accounts/roles.js';
import type { AuthConfig } from '../config.js';
import type { RevocationLog } from '../revocations/revocation-log.js';
import { sessions, users } from '../schema.js';
import { Statement } from '../statement.js';
import type { SessionInUse } from './session-store.js';

/** What a session says in a token that is issued now. */
export interface SessionRow {
  user_id: string;
  roles: Role[];
  authenticated_at: string;
  acr: string;
  amr: string[];
  issued_at: string;
}

const { placeholder } = sql;

/** Idle limit from now, absolute limit from the beginning: whichever comes first. */
export function expiry(config: AuthConfig, createdAt: SQLWrapper): SQL {
  const { SIGNET_SESSION_IDLE_SECONDS: idle, SIGNET_SESSION_ABSOLUTE_SECONDS: absolute } = config;
  return sql`least(now() + ${seconds(idle)}, ${createdAt} + ${seconds(absolute)})`;
}

/** What is set of a session that is used. */
export function use(config: AuthConfig): SQL {
  return sql`last_used_at = now(), expires_at = ${expiry(config, sessions.createdAt)}`;
}

/** A constant of the statement, so that each connection plans it once. */
export function seconds(count: number): SQL {
  return sql.raw(`interval '${count} seconds'`);
}

/** Every token of a user costs two of these: one that holds the session, and then the one that reads. */
export function sessionStatements(config: AuthConfig, revocations: RevocationLog) {
  // Not `ended_at`: an index on sessions that have not ended would seem as good as the primary key while the
  // table is small, and each connection keeps its plan.
  const isLive = sql`sid = ${placeholder('sid')} and ending is null and expires_at > now()`;
  return {
    use: new Statement<{ sid: string }, object>(
      'use_session',
      () => sql`update ${sessions} set ${use(config)} where ${isLive} returning sid`,
    ),
    hold: new Statement<{ sid: string }, object>(
      'hold_session',
      () => sql`select sid from ${sessions} where ${isLive} for share`,
    ),
    read: new Statement<{ sid: string; clientId: string }, SessionRow>(
      'read_session',
      () => sql`
        select ${users.id} as user_id, ${users.roles} as roles,
          ${sessions.authenticatedAt} as authenticated_at, ${sessions.acr} as acr, ${sessions.amr} as amr,
          ${revocations.issueTime({ sid: placeholder('sid'), clientId: placeholder('clientId') })} as issued_at
        from ${sessions} join ${users} on ${users.id} = ${sessions.userId}
        where ${sessions.sid} = ${placeholder('sid')} and ${users.disabledAt} is null`,
    ),
  };
}

export function inUse(row: SessionRow): SessionInUse {
  return {
    userId: row.user_id,
    roles: row.roles,
    authenticatedAt: new Date(row.authenticated_at),
    acr: row.acr,
    amr: row.amr,
    issuedAt: Number(row.issued_at),
  };
}
