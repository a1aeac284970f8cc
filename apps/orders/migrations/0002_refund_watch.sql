CREATE TABLE "refund_watch" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"seen_until" timestamp (3) with time zone DEFAULT 'epoch' NOT NULL,
	"asked_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "refund_watch_one" CHECK ("refund_watch"."id" = 1)
);
