SET ROLE app;
SET search_path = app, public;
SET LOCAL work_mem = '1MB';
RESET ROLE;
