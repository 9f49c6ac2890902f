CREATE TABLE orders (id int, customer int REFERENCES customers, state order_state);
INSERT INTO settings VALUES ('a', 'b');
CREATE INDEX ON archive (id);
ALTER TABLE IF EXISTS maybe ADD COLUMN x int;
