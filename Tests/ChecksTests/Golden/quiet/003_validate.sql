ALTER TABLE orders VALIDATE CONSTRAINT orders_total;
CREATE INDEX CONCURRENTLY orders_total_idx ON orders (total);
