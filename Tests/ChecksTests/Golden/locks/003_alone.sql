CREATE INDEX CONCURRENTLY people_born ON people (born);
VACUUM people;
VACUUM FULL people;
