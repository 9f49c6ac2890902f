ALTER TYPE mood ADD VALUE 'angry';
UPDATE people SET mood = 'angry' WHERE id = 1;
