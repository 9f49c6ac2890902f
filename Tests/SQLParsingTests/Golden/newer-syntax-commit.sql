CREATE TABLE a (x int, y int GENERATED ALWAYS AS (x + 1) VIRTUAL);
commit;
