\restrict abc
SET statement_timeout = 0;
COPY a FROM stdin;
1
\.

\unrestrict abc
