CREATE TABLE people (
    id int, name varchar(20), age int, born timestamp, email text, mood text,
    total numeric(10, 2)
);
CREATE TABLE towns (id int PRIMARY KEY);
CREATE INDEX people_name ON people (name);
ALTER TABLE people ALTER COLUMN name SET NOT NULL;
ALTER TABLE people ADD COLUMN zone int NOT NULL;
