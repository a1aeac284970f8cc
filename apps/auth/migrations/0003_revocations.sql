CREATE TABLE "revocation_feed" (
	"id" integer PRIMARY KEY NOT NULL,
	"seq" bigint NOT NULL,
	"chain" text NOT NULL,
	CONSTRAINT "revocation_feed_one_row" CHECK ("revocation_feed"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "revocations" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "revocations_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"before" bigint,
	"until" bigint NOT NULL,
	"cause" text NOT NULL,
	"actor" text,
	"txn" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"seq" bigint,
	"chain" text,
	"token" text,
	CONSTRAINT "revocations_published" CHECK (("revocations"."seq" is null) = ("revocations"."token" is null) and ("revocations"."seq" is null) = ("revocations"."chain" is null))
);
--> statement-breakpoint
CREATE UNIQUE INDEX "revocations_seq" ON "revocations" USING btree ("seq");--> statement-breakpoint
CREATE INDEX "revocations_unpublished" ON "revocations" USING btree ("id") WHERE "revocations"."seq" is null;--> statement-breakpoint
CREATE INDEX "revocations_subject" ON "revocations" USING btree ("kind","subject");--> statement-breakpoint
CREATE INDEX "revocations_until" ON "revocations" USING btree ("until");