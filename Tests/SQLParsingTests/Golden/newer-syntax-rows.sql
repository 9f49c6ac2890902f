COPY a FROM stdin;
1
\.
SELECT 0x_FF;
