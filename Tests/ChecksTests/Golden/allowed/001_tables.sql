CREATE TABLE people (id int, name text, note text);
