-- Cleared with the team.
-- migrated: allow=M030 reason='small table'
ALTER TABLE people ALTER COLUMN id TYPE bigint;
-- migrated: allow=drop-column,M042 reason=nobody reads it any more
ALTER TABLE people DROP COLUMN name;
ALTER TABLE people DROP COLUMN note;
-- migrated: allow=M043
DELETE FROM people;
-- migrated: allow=M999 reason=because
TRUNCATE people;
-- migrated: allow=M001 reason=because
SELECT 1;
-- migrated: allow=M042 reason=too late
