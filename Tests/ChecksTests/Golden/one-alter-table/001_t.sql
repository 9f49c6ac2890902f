CREATE TABLE t (a int, CONSTRAINT k CHECK (a > 0), b int);
-- PostgreSQL drops first, wherever the command stands.
ALTER TABLE t ADD CONSTRAINT k CHECK (a > 1), DROP CONSTRAINT k;
ALTER TABLE t ADD COLUMN b text, DROP COLUMN b;
