CREATE TABLE users (id int);
BEGIN;
CREATE TABLE orders (id int,);
COMMIT;
