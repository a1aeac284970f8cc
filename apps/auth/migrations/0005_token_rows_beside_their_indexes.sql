DROP INDEX "engine_records_sealed";--> statement-breakpoint
DROP INDEX "sessions_expiry";--> statement-breakpoint
DROP INDEX "engine_records_uid";--> statement-breakpoint
DROP INDEX "engine_records_user_code";--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "expires_on" date GENERATED ALWAYS AS ((expires_at at time zone 'UTC')::date) STORED;--> statement-breakpoint
CREATE INDEX "sessions_expires_on" ON "sessions" USING btree ("expires_on") WHERE "sessions"."ended_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "engine_records_uid" ON "engine_records" USING btree ("model","uid") WHERE "engine_records"."uid" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "engine_records_user_code" ON "engine_records" USING btree ("model","user_code_hash") WHERE "engine_records"."user_code_hash" is not null;--> statement-breakpoint
ALTER TABLE "sessions" SET (fillfactor = 85);--> statement-breakpoint
ALTER TABLE "engine_records" SET (fillfactor = 90);
