ALTER TYPE mood ADD VALUE 'happy';
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
CREATE TABLE happy (happy text DEFAULT 'unhappy');
