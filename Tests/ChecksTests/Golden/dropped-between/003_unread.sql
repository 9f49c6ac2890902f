DO $$ BEGIN DROP TABLE audit; EXECUTE 'CREATE TABLE later (id int)'; END $$;
CREATE TABLE audit (id int);
CREATE TEMP TABLE scratch (id int);
ALTER TABLE later ADD COLUMN x int;
