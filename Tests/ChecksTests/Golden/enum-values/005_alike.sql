ALTER TYPE mood ADD VALUE 'calm';
ALTER TABLE people ADD COLUMN calm int;
COMMENT ON COLUMN people.calm IS 'how calm they are';
ALTER TABLE people RENAME CONSTRAINT calm TO calmer;
