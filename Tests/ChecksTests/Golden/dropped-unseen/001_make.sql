CREATE TABLE users (id int);
CREATE VIEW base AS SELECT id FROM users;
CREATE MATERIALIZED VIEW copy AS SELECT id FROM base;
CREATE INDEX copy_id ON copy (id);
CREATE INDEX users_id ON users (id);
CREATE POLICY mine ON users USING (true);
CREATE TABLE kept (id int);
