-- A folder as it should be: nothing is found.
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers,
    parent bigint REFERENCES orders
);
CREATE INDEX orders_customer_id ON orders (customer_id);
COMMENT ON TABLE orders IS 'what was bought';
