ALTER TABLE seats ADD CONSTRAINT seats_place UNIQUE (number);
ALTER INDEX seats_place RENAME TO seats_number;
ALTER TABLE seats ADD CONSTRAINT seats_number UNIQUE (room);
