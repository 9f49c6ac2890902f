-- nothing
BEGIN; COMMIT;
COMMIT;
