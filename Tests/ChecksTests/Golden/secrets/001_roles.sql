CREATE ROLE a PASSWORD 'hunter2';
ALTER ROLE a PASSWORD 'SCRAM-SHA-256$4096:YWI=$YQ==:Yg==';
ALTER ROLE a PASSWORD NULL;
DO $$ BEGIN
  EXECUTE format('ALTER ROLE a PASSWORD %L', 'x');
  PERFORM dblink_connect('postgresql://u:hunter2@h/d');
END $$;
-- migrated: allow=M050 reason=a test server's
CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password 'hunter2');
CREATE SUBSCRIPTION s CONNECTION 'host=h password=${PASSWORD}' PUBLICATION p;
INSERT INTO users (name, password) VALUES ('a', 'hunter2');
ALTER ROLE a SET search_path = app;
ALTER DATABASE d SET app.token = 'hunter2';
ALTER ROLE ALL RESET ALL;
