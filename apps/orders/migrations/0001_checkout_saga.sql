CREATE TABLE "audit_events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"action" text NOT NULL,
	"actor" text,
	"subject" text NOT NULL,
	"address" text,
	"details" jsonb
);
--> statement-breakpoint
CREATE TABLE "sagas" (
	"order_id" uuid PRIMARY KEY NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"state" jsonb NOT NULL,
	"actor" jsonb NOT NULL,
	"due_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "sagas" ADD CONSTRAINT "sagas_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_events_subject" ON "audit_events" USING btree ("subject","id");--> statement-breakpoint
CREATE INDEX "audit_events_actor" ON "audit_events" USING btree ("actor","id");--> statement-breakpoint
CREATE INDEX "audit_events_at" ON "audit_events" USING btree ("at");--> statement-breakpoint
CREATE INDEX "sagas_due" ON "sagas" USING btree ("due_at") WHERE "sagas"."due_at" is not null;--> statement-breakpoint
CREATE INDEX "orders_status" ON "orders" USING btree ("status","id" DESC NULLS LAST);--> statement-breakpoint
INSERT INTO "sagas" ("order_id", "state", "actor", "due_at")
SELECT "id",
  jsonb_build_object('goal', 'confirmed', 'stock', 'none',
    'money', CASE WHEN "total_amount" = 0 THEN 'free' ELSE 'none' END,
    'paymentId', null, 'heldUntil', 0, 'round', 1, 'tries', 0,
    'since', floor(extract(epoch from now()) * 1000), 'reason', null, 'halted', null, 'done', false),
  jsonb_build_object('sub', "customer_id", 'roles', '["customer"]'::jsonb),
  now()
FROM "orders" WHERE "status" = 'pending';
