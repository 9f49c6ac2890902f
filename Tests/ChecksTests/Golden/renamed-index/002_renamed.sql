ALTER INDEX seats_place RENAME TO seats_place_old;
ALTER TABLE seats ADD CONSTRAINT seats_place UNIQUE (room, number);
ALTER TABLE seats DROP CONSTRAINT seats_place_old;
ALTER INDEX seats_number RENAME TO seats_by_number;
