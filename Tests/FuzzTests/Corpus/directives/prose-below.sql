select 1;
-- migrated: from the old table by hand
