\restrict abc'def
SET statement_timeout = 0;
