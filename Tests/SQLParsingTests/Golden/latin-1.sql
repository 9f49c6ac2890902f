CREATE TABLE a (x int);
SELECT 'é';
