CREATE TABLE people (id int, name text);
CREATE TABLE towns (id int);
CREATE TABLE short (id int);
DROP TABLE short;
DELETE FROM towns;
