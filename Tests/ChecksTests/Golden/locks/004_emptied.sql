-- migrated: allow=truncate reason=test data
TRUNCATE people;
ALTER TABLE people ADD COLUMN country text NOT NULL;
CREATE INDEX people_country ON people (country);
