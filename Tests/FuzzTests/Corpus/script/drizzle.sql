CREATE TABLE t (a int);
--> statement-breakpoint
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN RETURN 1; END $f$;
--> statement-breakpoint
VACUUM t;
