import { sql } from 'drizzle-orm';
import type { AdapterPayload } from 'oidc-provider';
import { engineRecords } from '../schema.js';
import { Statement } from '../statement.js';

/** What is read of a record. */
export interface FoundRecord {
  hash: string;
  payload: AdapterPayload;
  /** Seconds; null when it has not been consumed. */
  consumed: string | null;
}

export interface NewRecord extends Record<string, unknown> {
  model: string;
  hash: string;
  grantId: string | null;
  uid: string | null;
  userCodeHash: string | null;
  parentHash: string | null;
  sealedValue: string | null;
  payload: AdapterPayload;
  expiresAt: Date | null;
  /** Whether a second record of this value is refused while the first is good. */
  onceOnly: boolean;
}

const { placeholder } = sql;

export const columns = sql.raw(`record.hash, record.payload,
  floor(extract(epoch from record.consumed_at))::bigint as consumed`);

export const isCurrent = sql.raw('(record.expires_at is null or record.expires_at > now())');

/** The one way in which a model's records are looked up by something. */
function by(name: string, column: string) {
  return new Statement<{ model: string; value: string }, FoundRecord>(
    name,
    () => sql`
      select ${columns} from ${engineRecords} record
      where record.model = ${placeholder('model')} and ${isCurrent}
        and ${sql.raw(`record.${column}`)} = ${placeholder('value')}`,
  );
}

export const findRecord = {
  byHash: by('record_by_hash', 'hash'),
  byUid: by('record_by_uid', 'uid'),
  byUserCode: by('record_by_user_code', 'user_code_hash'),
};

/** What is null stays as it was in a record that there is already: it may be stored again without. */
export const storeRecord = new Statement<NewRecord, object>(
  'store_record',
  () => sql`
    insert into ${engineRecords} as stored
      (model, hash, grant_id, uid, user_code_hash, parent_hash, sealed_value, payload, expires_at)
    values (${placeholder('model')}, ${placeholder('hash')}, ${placeholder('grantId')},
      ${placeholder('uid')}, ${placeholder('userCodeHash')}, ${placeholder('parentHash')},
      ${placeholder('sealedValue')}, ${placeholder('payload')}, ${placeholder('expiresAt')})
    on conflict (model, hash) do update set
      grant_id = excluded.grant_id, uid = excluded.uid, payload = excluded.payload,
      expires_at = excluded.expires_at,
      user_code_hash = coalesce(excluded.user_code_hash, stored.user_code_hash),
      parent_hash = coalesce(excluded.parent_hash, stored.parent_hash),
      sealed_value = coalesce(excluded.sealed_value, stored.sealed_value)
    where not ${placeholder('onceOnly')}::boolean or stored.expires_at < now()
    returning hash`,
);

/** As `storeRecord`, of what cannot be there: nobody looks for a row that would have to be changed. */
export const storeSuccessor = new Statement<NewRecord, object>(
  'store_successor',
  () => sql`
    insert into ${engineRecords}
      (model, hash, grant_id, parent_hash, sealed_value, payload, expires_at)
    values (${placeholder('model')}, ${placeholder('hash')}, ${placeholder('grantId')},
      ${placeholder('parentHash')}, ${placeholder('sealedValue')}, ${placeholder('payload')},
      ${placeholder('expiresAt')})`,
);
