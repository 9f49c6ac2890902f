ALTER TABLE orders ADD COLUMN total numeric(12, 2) NOT NULL DEFAULT 0;
ALTER TABLE orders ADD CONSTRAINT orders_total CHECK (total >= 0) NOT VALID;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW open_orders AS WITH o AS (SELECT * FROM orders) SELECT o.id FROM o JOIN customers c ON c.id = o.customer_id;
INSERT INTO legacy_settings (key) VALUES ('a') ON CONFLICT DO NOTHING;
