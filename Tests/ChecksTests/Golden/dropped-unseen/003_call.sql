SELECT setval('s', 1), count(*) FROM users;
CREATE TABLE kept (id int);
SELECT drop_all_policies('users');
CREATE POLICY mine ON users USING (true);
CREATE POLICY mine ON users USING (true);
