-- migrated: allow=drop-table,drop-column reason=rebuilt from the archive
DROP TABLE users;
CREATE TABLE users (id int, email text);
CREATE INDEX users_email ON users (email);
DROP TYPE mood CASCADE;
CREATE TYPE mood AS ENUM ('sad');
CREATE VIEW moods AS SELECT 2;
ALTER TABLE audit RENAME TO audit_old;
CREATE TABLE audit (id int);
ALTER TABLE old_orders RENAME COLUMN note TO remark;
ALTER TABLE old_orders ADD COLUMN note text;
CREATE TEMP TABLE scratch (id int);
INSERT INTO scratch VALUES (1);
