CREATE TABLE a (x int, y text);
COPY public.a (x, y) FROM stdin;
1	it's
2	"x
\.
SELECT 1;
