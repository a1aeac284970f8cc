import { sql } from 'drizzle-orm';
import type { AdapterPayload } from 'oidc-provider';
import type { AuthConfig } from '../config.js';
import type { RevocationLog } from '../revocations/revocation-log.js';
import { engineRecords, grants, sessions, users } from '../schema.js';
import { seconds } from '../sessions/session-statements.js';
import type { SessionRow } from '../sessions/session-statements.js';
import { Statement } from '../statement.js';
import { columns, isCurrent } from './record-statements.js';
import type { FoundRecord } from './record-statements.js';

/** A refresh token together with all that the engine asks for to exchange it. */
export interface FoundRefreshToken extends FoundRecord, Omit<SessionRow, 'user_id'> {
  grant_id: string | null;
  grant_payload: AdapterPayload | null;
  /** Null when the account is disabled. */
  user_id: string | null;
  email: string | null;
  /** Of the session's row; null when the session has ended. */
  version: string | null;
}

/** What a refresh leaves behind. */
export interface Exchange {
  sid: string;
  /** Of the session's row, when it was read for the access token. */
  version: string;
  /** SHA-256 of the token that is exchanged. */
  hash: string;
  /** SHA-256 of the one that it is exchanged for. */
  successor: string;
  sealedValue: string | null;
  payload: AdapterPayload;
  expiresAt: Date | null;
}

const { placeholder } = sql;

/**
 * The statements of a refresh, each for any number of them, in JSON: PostgreSQL then does not know how many
 * there are, and plans once for each connection.
 */
export function refreshStatements(config: AuthConfig, revocations: RevocationLog) {
  return {
    find: new Statement<{ hashes: string }, FoundRefreshToken>(
      'find_refresh_tokens',
      () => sql`
        select ${columns}, record.grant_id, held.payload as grant_payload,
          owner.id as user_id, owner.email, owner.roles, login.authenticated_at, login.acr, login.amr,
          case when login.ended_at is null and login.expires_at > now() then login.xmin::text end as version,
          ${revocations.issueTime({ sid: sql`login.sid`, clientId: sql`login.client_id` })} as issued_at
        from json_array_elements_text(${placeholder('hashes')}) asked
        cross join lateral (
          -- One by one, so that the plan is good however large the tables were when it was made.
          select * from ${engineRecords} where model = 'RefreshToken' and hash = asked.value limit 1
        ) record
        left join ${grants} held on held.id = record.grant_id and held.expires_at > now()
        left join ${sessions} login on login.sid = record.grant_id
        left join ${users} owner on owner.id = login.user_id and owner.disabled_at is null
        where ${isCurrent}`,
    ),
    /** Answers with the successors of those that were exchanged (migration 0008). */
    exchange: new Statement<{ exchanges: string }, { successor: string }>(
      'exchange_refresh_tokens',
      () => sql`
        select successor from json_to_recordset(${placeholder('exchanges')}) as asked (sid text,
          version text, hash text, successor text, "sealedValue" text, payload jsonb, "expiresAt" timestamptz)
        where exchange_refresh_token(sid, version, hash, successor, "sealedValue", payload, "expiresAt",
          ${seconds(config.SIGNET_SESSION_IDLE_SECONDS)}, ${seconds(config.SIGNET_SESSION_ABSOLUTE_SECONDS)})`,
    ),
  };
}
