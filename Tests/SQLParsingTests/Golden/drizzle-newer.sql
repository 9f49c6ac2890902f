CREATE TABLE "a" ("x" int, "y" int GENERATED ALWAYS AS (x) VIRTUAL)
--> statement-breakpoint
CREATE TABLE "b" ("x" int)
