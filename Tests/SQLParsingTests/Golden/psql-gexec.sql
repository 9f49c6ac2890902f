SELECT 'é', 'create table t (x int)' \gexec
