CREATE TABLE customers (id int PRIMARY KEY);
CREATE TYPE order_state AS ENUM ('open');
CREATE TABLE IF NOT EXISTS settings (key text, value text);
CREATE TABLE maybe (id int);
ALTER TABLE late ADD COLUMN y int;
CREATE TABLE late (id int);
