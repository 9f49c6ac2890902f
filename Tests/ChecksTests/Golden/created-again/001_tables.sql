CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE TABLE users (id int, email text, CONSTRAINT users_email UNIQUE (email));
CREATE INDEX users_id ON users (id);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE FUNCTION touch(a int) RETURNS int LANGUAGE sql AS 'SELECT a';
CREATE VIEW names AS SELECT email FROM users;
CREATE POLICY own ON users USING (true);
