-- Both are there; k is not to be had a second time.
ALTER TABLE t DROP CONSTRAINT k, DROP COLUMN b;
ALTER TABLE t ADD CONSTRAINT k CHECK (a > 2);
ALTER TABLE t ADD CONSTRAINT k CHECK (a > 3);
