CALL tidy();
CREATE TABLE kept (id int);
DO $$ BEGIN PERFORM tidy(); END $$;
CREATE TABLE kept (id int);
