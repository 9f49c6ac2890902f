CREATE TABLE a (x int);
-- c
CREATE TABLE b (x int);
