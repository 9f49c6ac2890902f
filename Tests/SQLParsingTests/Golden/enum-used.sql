CREATE TABLE before (x int);
ALTER TYPE mood ADD VALUE 'it''s new';
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'happy' AFTER 'it''s new';
CREATE TABLE between (x int);
UPDATE people SET mood = 'it''s new';
UPDATE people SET mood = 'happy';
ALTER TYPE mood ADD VALUE 'late';
DO $do$ BEGIN EXECUTE $$UPDATE people SET moods = '{sad,"late"}'$$; END $do$;
