CREATE TABLE a (x int, y int GENERATED ALWAYS AS (x + 1) VIRTUAL);
create unique index concurrently on a (x);
