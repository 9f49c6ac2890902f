CREATE TABLE seats (room int, number int, CONSTRAINT seats_place UNIQUE (room));
CREATE INDEX seats_number ON seats (number);
