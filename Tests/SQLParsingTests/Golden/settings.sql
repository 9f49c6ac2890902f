ALTER ROLE app SET search_path = app;
