CREATE TABLE "a" (
	"id" serial PRIMARY KEY
);
--> statement-breakpoint
CREATE TABLE "b" ("id" int)
--> statement-breakpoint
ALTER TABLE "b" ADD FOREIGN KEY ("id") REFERENCES "a"("id");--> statement-breakpoint
CREATE INDEX CONCURRENTLY "b_id" ON "b" ("id") -- why --> statement-breakpoint
INSERT INTO "a" VALUES ('--> statement-breakpoint'); --> statement-breakpoint DROP TABLE "c" --> statement-breakpoint DROP TABLE "d"
