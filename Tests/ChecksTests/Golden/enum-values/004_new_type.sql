BEGIN;
CREATE TYPE state AS ENUM ('open');
ALTER TYPE state ADD VALUE 'done';
CREATE TABLE tasks (state state DEFAULT 'done');
COMMIT;
