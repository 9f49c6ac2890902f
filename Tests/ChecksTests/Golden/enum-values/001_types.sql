CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE people (id int, mood mood);
