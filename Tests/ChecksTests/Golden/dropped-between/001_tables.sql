CREATE TABLE users (id int, email text);
CREATE INDEX users_email ON users (email);
CREATE TYPE mood AS ENUM ('sad');
CREATE VIEW moods AS SELECT 1;
CREATE TABLE audit (id int);
CREATE TABLE old_orders (id int, note text);
