-- Exchanges one refresh token, if its session is the version of the row that its access token was made from.
-- It waits for nobody: what somebody else holds is refused, so that any number can be exchanged in one
-- transaction without a deadlock. Of what is refused nothing has changed.
-- That a session has not ended is told by its `ending`: were it `ended_at`, an index on sessions that have not
-- ended would seem as good as the primary key while the table is small, and each connection keeps its plans.
CREATE FUNCTION "exchange_refresh_token"(
  p_sid text, p_version text, p_hash text, p_successor text, p_sealed_value text, p_payload jsonb,
  p_expires_at timestamptz, p_idle interval, p_absolute interval
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sessions SET last_used_at = now(), expires_at = least(now() + p_idle, created_at + p_absolute)
    WHERE ctid = (
      SELECT login.ctid FROM grants
      JOIN sessions login ON login.sid = grants.id
      JOIN engine_records token ON token.model = 'RefreshToken' AND token.hash = p_hash AND token.consumed_at IS NULL
      WHERE grants.id = p_sid AND login.xmin::text = p_version
        AND login.ending IS NULL AND login.expires_at > now()
      FOR NO KEY UPDATE SKIP LOCKED
    );
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE engine_records SET consumed_at = now(), sealed_value = NULL
    WHERE model = 'RefreshToken' AND hash = p_hash;
  INSERT INTO engine_records (model, hash, grant_id, parent_hash, sealed_value, payload, expires_at)
    VALUES ('RefreshToken', p_successor, p_sid, p_hash, p_sealed_value, p_payload, p_expires_at);
  RETURN true;
END $$;
--> statement-breakpoint
-- Tokens that come into being together are used up together: room beside each for its next version.
ALTER TABLE "engine_records" SET (fillfactor = 60);
